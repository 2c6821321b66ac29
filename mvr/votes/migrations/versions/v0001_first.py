"""The first schema: battles, votes, judgments, flags, consents, pools, participants, logins.

A migration is frozen: it repeats the tables of its day and imports nothing from `schema`.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "battle",
        sa.Column("battle_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("schema_version", sa.BigInteger, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("voter_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("query_id", sa.Text, nullable=False),
        sa.Column("query_group_id", sa.Text, nullable=False),
        sa.Column("query_sha256", sa.Text, nullable=True),
        sa.Column("query_genre", sa.Text, nullable=True),
        sa.Column("left_system_id", sa.Text, nullable=False),
        sa.Column("left_system_version", sa.Text, nullable=False),
        sa.Column("left_alpha", sa.Double, nullable=True),
        sa.Column("left_item_id", sa.Text, nullable=False),
        sa.Column("left_item_group_id", sa.Text, nullable=False),
        sa.Column("left_rank", sa.BigInteger, nullable=False),
        sa.Column("left_score", sa.Double, nullable=False),
        sa.Column("left_excerpt_start_s", sa.Double, nullable=False),
        sa.Column("left_gain_db", sa.Double, nullable=False),
        sa.Column("left_item_prob", sa.Double, nullable=False),
        sa.Column("right_system_id", sa.Text, nullable=False),
        sa.Column("right_system_version", sa.Text, nullable=False),
        sa.Column("right_alpha", sa.Double, nullable=True),
        sa.Column("right_item_id", sa.Text, nullable=False),
        sa.Column("right_item_group_id", sa.Text, nullable=False),
        sa.Column("right_rank", sa.BigInteger, nullable=False),
        sa.Column("right_score", sa.Double, nullable=False),
        sa.Column("right_excerpt_start_s", sa.Double, nullable=False),
        sa.Column("right_gain_db", sa.Double, nullable=False),
        sa.Column("right_item_prob", sa.Double, nullable=False),
        sa.Column("pool_version", sa.Text, nullable=False),
        sa.Column("pool_size", sa.BigInteger, nullable=False),
        sa.Column("policy_id", sa.Text, nullable=False),
        sa.Column("pair_prob", sa.Double, nullable=False),
        sa.Column("slot_prob", sa.Double, nullable=False),
        sa.Column("seed", sa.BigInteger, nullable=False),
        sa.Column("needed_ms", sa.BigInteger, nullable=False),
        sa.Column("gold_answer", sa.Text, nullable=True),
        sa.Column("repeat_of", sa.Text, nullable=True),
        sa.Column("study_id", sa.Text, nullable=True),
        sa.Column("ui_version", sa.Text, nullable=False),
    )
    op.create_index("battle_by_voter", "battle", ["voter_id", "created_at_ms"])
    op.create_table(
        "consent",
        sa.Column("consent_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("schema_version", sa.BigInteger, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("voter_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("text_sha256", sa.Text, nullable=False),
        sa.Column("decision", sa.Text, nullable=False),
    )
    op.create_index("consent_by_voter", "consent", ["voter_id"])
    op.create_table(
        "flag",
        sa.Column("flag_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("schema_version", sa.BigInteger, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("target_kind", sa.Text, nullable=False),
        sa.Column("target_id", sa.Text, nullable=False),
        sa.Column("rule_id", sa.Text, nullable=False),
        sa.Column("rule_version", sa.BigInteger, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
    )
    op.create_index("flag_by_target", "flag", ["target_kind", "target_id"])
    op.create_table(
        "login",
        sa.Column("account_mac", sa.Text, primary_key=True, nullable=False),
        sa.Column("voter_id", sa.Text, nullable=False),
        sa.UniqueConstraint("voter_id", name="one_account_per_voter"),
    )
    op.create_table(
        "participant",
        sa.Column("study_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("voter_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.UniqueConstraint("study_id", "number", name="one_participant_per_number"),
    )
    op.create_table(
        "pool_item",
        sa.Column("pool_version", sa.Text, primary_key=True, nullable=False),
        sa.Column("query_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("item_group_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("found_by", sa.Text, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "judgment",
        sa.Column("judgment_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("schema_version", sa.BigInteger, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("battle_id", sa.Text, sa.ForeignKey("battle.battle_id"), nullable=True),
        sa.Column("direction", sa.Text, nullable=False),
        sa.Column("query_id", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("item_group_id", sa.Text, nullable=False),
        sa.Column("grade", sa.BigInteger, nullable=True),
        sa.Column("gold_grade", sa.BigInteger, nullable=True),
        sa.Column("guideline_version", sa.Text, nullable=False),
        sa.Column("pool_version", sa.Text, nullable=False),
        sa.Column("found_by", sa.Text, nullable=False),
        sa.Column("voter_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("consent_version", sa.Text, nullable=False),
        sa.Column("listen_ms", sa.BigInteger, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
    )
    op.create_index("judgment_by_item", "judgment", ["query_id", "item_group_id"])
    op.create_index("judgment_by_voter", "judgment", ["voter_id"])
    op.create_table(
        "vote",
        sa.Column("vote_id", sa.Text, primary_key=True, nullable=False),
        sa.Column("schema_version", sa.BigInteger, nullable=False),
        sa.Column("created_at_ms", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("battle_id", sa.Text, sa.ForeignKey("battle.battle_id"), nullable=False),
        sa.Column("attempt", sa.BigInteger, nullable=False),
        sa.Column("undoes", sa.Text, sa.ForeignKey("vote.vote_id"), nullable=True),
        sa.Column("voter_id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("consent_version", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("aspect", sa.Text, nullable=False),
        sa.Column("confidence", sa.BigInteger, nullable=True),
        sa.Column("listen_left_ms", sa.BigInteger, nullable=False),
        sa.Column("listen_right_ms", sa.BigInteger, nullable=False),
        sa.Column("video_ms", sa.BigInteger, nullable=False),
        sa.Column("switches", sa.BigInteger, nullable=False),
        sa.Column("decision_ms", sa.BigInteger, nullable=False),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("prev_hash", sa.Text, nullable=False),
        sa.UniqueConstraint("battle_id", "aspect", "kind", "attempt", name="one_vote_per_battle"),
        sa.UniqueConstraint("undoes", name="one_undo_per_vote"),
    )
    op.create_index("vote_by_voter", "vote", ["voter_id", "created_at_ms"])
    op.execute(EXCLUDED_V1)
    op.execute(COUNTED_VOTE_V1)


EXCLUDED_V1 = """
CREATE VIEW excluded_v1 AS
SELECT DISTINCT f.target_kind, f.target_id
FROM flag f
WHERE f.verdict = 'exclude'
  AND NOT EXISTS (
    SELECT 1 FROM flag g
    WHERE g.target_kind = f.target_kind AND g.target_id = f.target_id
      AND g.rule_id = f.rule_id AND g.flag_id > f.flag_id)
"""

COUNTED_VOTE_V1 = """
CREATE VIEW counted_vote_v1 AS
SELECT v.vote_id, v.battle_id, v.voter_id, v.session_id, v.account, v.created_at_ms, v.outcome, v.aspect,
  b.direction, b.source, b.query_id, b.query_group_id, b.query_genre,
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
    SELECT 1 FROM excluded_v1 x
    WHERE (x.target_kind = 'vote' AND x.target_id = v.vote_id)
       OR (x.target_kind = 'battle' AND x.target_id = v.battle_id)
       OR (x.target_kind = 'voter' AND x.target_id = v.voter_id))
"""
