"""The tables of the vote store, and the versioned view that says which votes count.

The newest migration in `migrations/versions` builds exactly this; a test compares the two.
A rule for counting is never changed: a new rule is a new view, so that an old board can be computed again.
"""

from __future__ import annotations

import sqlalchemy as sa

METADATA = sa.MetaData()


def _text(name: str, *, null: bool = False, key: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=null, primary_key=key)


def _whole(name: str, *, null: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=null)


def _real(name: str, *, null: bool = False) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=null)


def _stamp() -> list[sa.Column[int]]:
    return [_whole("schema_version"), _whole("created_at_ms")]


def _added(name: str) -> sa.Column[int]:
    """A column of schema 2 that rows of schema 1 have 0 in, unless the migration says better."""
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")


def _side(name: str) -> list[sa.Column]:  # type: ignore[type-arg]
    return [
        _text(f"{name}_system_id"),
        _text(f"{name}_system_version"),
        _real(f"{name}_alpha", null=True),
        _text(f"{name}_item_id"),
        _text(f"{name}_item_group_id"),
        _whole(f"{name}_rank"),
        _real(f"{name}_score"),
        _real(f"{name}_excerpt_start_s"),
        _real(f"{name}_gain_db"),
        _real(f"{name}_item_prob"),
    ]


BATTLE = sa.Table(
    "battle",
    METADATA,
    _text("battle_id", key=True),
    *_stamp(),
    _text("voter_id"),
    _text("session_id"),
    _text("direction"),
    _text("kind"),
    _text("source"),
    _text("query_id"),
    _text("query_group_id"),
    _text("query_sha256", null=True),
    _text("query_genre", null=True),
    *_side("left"),
    *_side("right"),
    _text("pool_version"),
    _whole("pool_size"),
    _text("policy_id"),
    _real("pair_prob"),
    _real("slot_prob"),
    _whole("seed"),
    _whole("needed_ms"),
    _text("gold_answer", null=True),
    _text("repeat_of", null=True),
    _text("study_id", null=True),
    _text("ui_version"),
    _added("sequence"),
    sa.Index("battle_by_voter", "voter_id", "created_at_ms"),
    sa.Index("battle_by_sequence", "voter_id", "sequence"),
)

VOTE = sa.Table(
    "vote",
    METADATA,
    _text("vote_id", key=True),
    *_stamp(),
    _text("kind"),
    sa.Column("battle_id", sa.Text, sa.ForeignKey("battle.battle_id"), nullable=False),
    _whole("attempt"),
    sa.Column("undoes", sa.Text, sa.ForeignKey("vote.vote_id"), nullable=True),
    _text("voter_id"),
    _text("session_id"),
    _text("account"),
    _text("consent_version"),
    _text("outcome"),
    _text("aspect"),
    _whole("confidence", null=True),
    _whole("listen_left_ms"),
    _whole("listen_right_ms"),
    _whole("video_ms"),
    _whole("switches"),
    _whole("decision_ms"),
    _text("reasons"),
    _text("prev_hash"),
    _added("sequence"),
    _text("group_label", null=True),
    _added("recognised"),
    sa.UniqueConstraint("battle_id", "aspect", "kind", "attempt", name="one_vote_per_battle"),
    sa.UniqueConstraint("undoes", name="one_undo_per_vote"),
    sa.Index("vote_by_voter", "voter_id", "created_at_ms"),
    sa.Index("vote_by_sequence", "voter_id", "sequence"),
)

JUDGMENT = sa.Table(
    "judgment",
    METADATA,
    _text("judgment_id", key=True),
    *_stamp(),
    sa.Column("battle_id", sa.Text, sa.ForeignKey("battle.battle_id"), nullable=True),
    _text("direction"),
    _text("query_id"),
    _text("item_id"),
    _text("item_group_id"),
    _whole("grade", null=True),
    _whole("gold_grade", null=True),
    _text("guideline_version"),
    _text("pool_version"),
    _text("found_by"),
    _text("voter_id"),
    _text("session_id"),
    _text("consent_version"),
    _whole("listen_ms"),
    _text("reasons"),
    _added("sequence"),
    sa.Index("judgment_by_item", "query_id", "item_group_id"),
    sa.Index("judgment_by_voter", "voter_id"),
)

FLAG = sa.Table(
    "flag",
    METADATA,
    _text("flag_id", key=True),
    *_stamp(),
    _text("target_kind"),
    _text("target_id"),
    _text("rule_id"),
    _whole("rule_version"),
    _text("verdict"),
    _added("sequence"),
    sa.Index("flag_by_target", "target_kind", "target_id"),
)

CONSENT = sa.Table(
    "consent",
    METADATA,
    _text("consent_id", key=True),
    *_stamp(),
    _text("voter_id"),
    _text("session_id"),
    _text("version"),
    _text("text_sha256"),
    _text("decision"),
    _added("sequence"),
    sa.Index("consent_by_voter", "voter_id"),
)

POOL_ITEM = sa.Table(
    "pool_item",
    METADATA,
    _text("pool_version", key=True),
    _text("query_id", key=True),
    _text("item_group_id", key=True),
    _text("direction"),
    _text("item_id"),
    _text("found_by"),
    _whole("created_at_ms"),
)

PARTICIPANT = sa.Table(
    "participant",
    METADATA,
    _text("study_id", key=True),
    _text("voter_id", key=True),
    _whole("number"),
    _whole("created_at_ms"),
    sa.UniqueConstraint("study_id", "number", name="one_participant_per_number"),
)

# What this server sent of a battle's media, one row per answer: the server's own measure of what could be heard.
SERVED = sa.Table(
    "served",
    METADATA,
    _text("served_id", key=True),
    sa.Column("battle_id", sa.Text, sa.ForeignKey("battle.battle_id"), nullable=False),
    _text("side"),
    _whole("first_byte"),
    _whole("end_byte"),
    _whole("of_bytes"),
    _whole("begun_at_ms"),
    sa.Index("served_by_battle", "battle_id"),
)

# Which browser a study's participant came with first: a keyed hash, and nobody else may be that participant.
STUDY_BROWSER = sa.Table(
    "study_browser",
    METADATA,
    _text("study_id", key=True),
    _text("voter_id", key=True),
    _text("browser_mac"),
    _whole("created_at_ms"),
)

# The one table whose rows are deleted: it alone links a signed-in account to a voter, and "forget me" cuts
# the link.
LOGIN = sa.Table(
    "login",
    METADATA,
    _text("account_mac", key=True),
    _text("voter_id"),
    sa.UniqueConstraint("voter_id", name="one_account_per_voter"),
)

EXCLUDED = "excluded_v2"
EXCLUDED_SQL = """
CREATE VIEW excluded_v2 AS
SELECT DISTINCT f.target_kind, f.target_id
FROM flag f
WHERE f.verdict = 'exclude'
  AND NOT EXISTS (
    SELECT 1 FROM flag g
    WHERE g.target_kind = f.target_kind AND g.target_id = f.target_id
      AND g.rule_id = f.rule_id AND g.sequence > f.sequence)
"""

COUNTED_VOTE = "counted_vote_v2"
COUNTED_VOTE_SQL = """
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

# How schema 1 counted: kept, so that a board of its day can be computed again.
EXCLUDED_V1_SQL = """
CREATE VIEW excluded_v1 AS
SELECT DISTINCT f.target_kind, f.target_id
FROM flag f
WHERE f.verdict = 'exclude'
  AND NOT EXISTS (
    SELECT 1 FROM flag g
    WHERE g.target_kind = f.target_kind AND g.target_id = f.target_id
      AND g.rule_id = f.rule_id AND g.flag_id > f.flag_id)
"""

COUNTED_VOTE_V1_SQL = """
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
