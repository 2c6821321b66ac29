"""Numbers per voter instead of clocks, group labels, marks, what was sent of a battle, browsers of studies.

Rows that are there get their numbers by the clock, the only order that they have. Their hashes are over the columns
of their own day (see `mvr.votes.record.hashed`), so the chain holds. Session ids, which were free text of clients, are
written out where they are no plain word.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from mvr.votes.record import neutral_session

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NUMBERED = {
    "battle": ("battle_id", "voter_id"),
    "vote": ("vote_id", "voter_id"),
    "judgment": ("judgment_id", "voter_id"),
    "consent": ("consent_id", "voter_id"),
    "flag": ("flag_id", "target_kind, target_id"),
}


def upgrade() -> None:
    for table, (key, owner) in NUMBERED.items():
        op.add_column(table, sa.Column("sequence", sa.BigInteger, nullable=False, server_default="0"))
        # a flag's number was its id, everybody else's the clock
        order = key if table == "flag" else f"created_at_ms, {key}"
        op.execute(
            f"UPDATE {table} SET sequence = numbered.number FROM (SELECT {key}, ROW_NUMBER() OVER "  # noqa: S608
            f"(PARTITION BY {owner} ORDER BY {order}) AS number FROM {table}) AS numbered "
            f"WHERE numbered.{key} = {table}.{key}"
        )
        if table != "flag":
            _write_out_sessions(table, key)
    op.add_column("vote", sa.Column("group_label", sa.Text, nullable=True))
    op.add_column("vote", sa.Column("recognised", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index("battle_by_sequence", "battle", ["voter_id", "sequence"])
    op.create_index("vote_by_sequence", "vote", ["voter_id", "sequence"])
    op.create_table(
        "served",
        sa.Column("served_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("battle_id", sa.Text, sa.ForeignKey("battle.battle_id"), nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("first_byte", sa.BigInteger, nullable=False),
        sa.Column("end_byte", sa.BigInteger, nullable=False),
        sa.Column("of_bytes", sa.BigInteger, nullable=False),
        sa.Column("begun_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_index("served_by_battle", "served", ["battle_id"])
    op.create_table(
        "study_browser",
        sa.Column("study_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("voter_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("browser_mac", sa.Text, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    )
    op.execute(EXCLUDED_V2)
    op.execute(COUNTED_VOTE_V2)


def _write_out_sessions(table: str, key: str) -> None:
    """Row by row: what one session is written out as may be what another client sent."""
    rows = sa.table(table, sa.column(key, sa.Text), sa.column("session_id", sa.Text))
    found = op.get_bind().execute(sa.select(rows.c[key], rows.c.session_id)).all()
    changed = [
        {"which": row[0], "plain": neutral_session(row[1])}
        for row in found
        if neutral_session(row[1]) != row[1]
    ]
    if changed:
        update = sa.update(rows).where(rows.c[key] == sa.bindparam("which"))
        op.get_bind().execute(update.values(session_id=sa.bindparam("plain")), changed)


EXCLUDED_V2 = """
CREATE VIEW excluded_v2 AS
SELECT DISTINCT f.target_kind, f.target_id
FROM flag f
WHERE f.verdict = 'exclude'
  AND NOT EXISTS (
    SELECT 1 FROM flag g
    WHERE g.target_kind = f.target_kind AND g.target_id = f.target_id
      AND g.rule_id = f.rule_id AND g.sequence > f.sequence)
"""

COUNTED_VOTE_V2 = """
CREATE VIEW counted_vote_v2 AS
SELECT v.vote_id, v.battle_id, v.voter_id, v.session_id, v.account, v.created_at_ms, v.outcome, v.aspect,
  v.sequence, v.group_label, v.recognised, v.created_at_ms / 86400000 AS day,
  b.direction, b.source, b.query_id, b.query_group_id, b.query_genre, b.study_id,
  b.pool_version, b.policy_id, b.pair_prob,
  b.left_system_id, b.left_system_version, b.left_alpha, b.left_item_id, b.left_item_group_id,
  b.right_system_id, b.right_system_version, b.right_alpha, b.right_item_id, b.right_item_group_id
FROM vote v JOIN battle b ON b.battle_id = v.battle_id AND b.voter_id = v.voter_id
WHERE v.kind = 'vote' AND v.outcome <> 'skip' AND b.kind = 'regular'
  AND v.listen_left_ms >= b.needed_ms AND v.listen_right_ms >= b.needed_ms
  AND b.left_item_group_id <> b.right_item_group_id
  AND NOT EXISTS (SELECT 1 FROM vote u WHERE u.undoes = v.vote_id)
  AND EXISTS (
    SELECT 1 FROM consent c
    WHERE c.voter_id = v.voter_id AND c.version = v.consent_version AND c.decision = 'given')
  AND NOT EXISTS (
    SELECT 1 FROM excluded_v2 x
    WHERE (x.target_kind = 'vote' AND x.target_id = v.vote_id)
       OR (x.target_kind = 'battle' AND x.target_id = v.battle_id)
       OR (x.target_kind = 'voter' AND x.target_id = v.voter_id))
"""
