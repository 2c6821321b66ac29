"""What a vote may do, on the server's clock; every refusal reads the same and stores nothing."""

from __future__ import annotations

import pytest

from mvr.arena.arena import Arena
from mvr.arena.candidates import Competitor, QueryItem
from mvr.arena.refusal import NEUTRAL, Reason, Refused
from mvr.datatypes import Direction
from mvr.errors import UsageError
from mvr.votes.records import Battle, Flag, Vote


def refused(reason: Reason):
    return pytest.raises(Refused, match=NEUTRAL[:30], check=lambda error: error.reason == reason)


def test_a_vote_is_stored_and_counted(visit, store):
    receipt = visit.vote(visit.next())
    assert store.rows(Vote) == [receipt.vote]
    assert [row["outcome"] for row in store.counted()] == ["left"]
    assert receipt.vote.decision_ms == 20_000 and not receipt.pause


def test_one_battle_takes_one_vote(visit, store):
    shown = visit.next()
    visit.vote(shown)
    with refused(Reason.USED):
        visit.vote(shown, "right")
    assert [vote.outcome for vote in store.rows(Vote)] == ["left"]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "0.0.0", "\u00e9.0.\u00e9", "x.99999999999999999999.y"])
def test_a_made_up_token_is_unknown(visit, store, token):
    with refused(Reason.UNKNOWN):
        visit.arena.vote(token, "anna", visit.ballot())
    assert store.count(Vote) == 0


def test_a_token_with_one_letter_changed_is_unknown(visit):
    token = visit.next().token
    visit.clock.pass_s(20)
    for place in (0, len(token) // 2, -1):
        letters = list(token)
        letters[place] = "a" if letters[place] != "a" else "b"
        with refused(Reason.UNKNOWN):
            visit.arena.vote("".join(letters), "anna", visit.ballot())


def test_the_token_of_another_visitor_is_foreign(visit, make_visit, store):
    other = make_visit(visit.arena, "bert")
    token = visit.next().token
    visit.clock.pass_s(20)
    with refused(Reason.FOREIGN):
        visit.arena.vote(token, "bert", other.ballot())
    assert store.count(Vote) == 0


def test_a_battle_expires_after_half_an_hour(visit, store):
    shown = visit.next()
    with refused(Reason.EXPIRED):
        visit.vote(shown, seconds=30 * 60 + 1)
    assert store.count(Vote) == 0
    assert visit.next().battle.battle_id != shown.battle.battle_id


def test_a_vote_before_both_sides_could_have_been_played_is_too_early(visit, store):
    shown = visit.next()
    with refused(Reason.EARLY):
        visit.vote(shown, seconds=9.9)
    assert store.count(Vote) == 0
    visit.clock.pass_s(5)
    assert visit.arena.vote(shown.token, "anna", visit.ballot()).vote.outcome == "left"


@pytest.mark.parametrize("side", ["listen_left_ms", "listen_right_ms"])
def test_both_sides_have_to_be_played(visit, side):
    shown = visit.next()
    visit.clock.pass_s(60)
    with refused(Reason.EARLY):
        visit.arena.vote(shown.token, "anna", visit.ballot(**{side: 4999}))


def test_nobody_hears_more_than_time_has_passed(visit):
    shown = visit.next()
    visit.clock.pass_s(15)
    with refused(Reason.EARLY):
        visit.arena.vote(shown.token, "anna", visit.ballot(listen_left_ms=10_000, listen_right_ms=10_000))


def test_skipping_needs_no_listening_and_does_not_count(visit, store):
    shown = visit.next()
    visit.arena.vote(shown.token, "anna", visit.ballot("skip", listen_left_ms=0, listen_right_ms=0))
    assert store.count(Vote) == 1 and store.counted() == []
    assert visit.next().battle.battle_id != shown.battle.battle_id


def test_without_consent_nothing_is_stored(make_arena, visit, store):
    shown = visit.arena.next_battle("carl", Direction.VIDEO_TO_MUSIC, session_id="s")
    visit.clock.pass_s(20)
    with refused(Reason.NO_CONSENT):
        visit.arena.vote(shown.token, "carl", visit.ballot())
    visit.arena.consent("carl", "s", version="1", text="t", given=False)
    with refused(Reason.NO_CONSENT):
        visit.arena.vote(shown.token, "carl", visit.ballot())
    assert not visit.arena.has_consent("carl", "1") and store.count(Vote) == 0


def test_a_short_clip_asks_for_no_more_than_its_length(visit):
    clip = QueryItem(query_id="video-own", group_id="own", duration_s=3.0, source="upload")
    shown = visit.arena.next_battle("anna", Direction.VIDEO_TO_MUSIC, session_id="s", query=clip)
    assert shown.battle.needed_ms == 3000 and shown.battle.source == "upload"
    visit.clock.pass_s(7)
    visit.arena.vote(shown.token, "anna", visit.ballot(listen_left_ms=3000, listen_right_ms=3000))


def test_a_reload_shows_the_same_battle_again(visit, make_arena, store):
    shown = visit.next()
    again = make_arena().next_battle("anna", Direction.VIDEO_TO_MUSIC, session_id="new")  # another process
    assert again.token == shown.token and again.battle == shown.battle and again.restored
    assert store.count(Battle) == 1


def test_both_directions_are_open_side_by_side(visit):
    music = visit.next()
    video = visit.arena.next_battle("anna", Direction.MUSIC_TO_VIDEO, session_id="s")
    assert video.battle.query_id.startswith("audio") and video.battle.left.item_id.startswith("video")
    assert visit.next().token == music.token


def test_a_prepared_battle_starts_its_clock_when_it_is_issued(visit):
    drawn = visit.arena.prepare("anna", visit.direction, session_id="s")
    visit.clock.pass_s(3600)
    shown = visit.arena.issue(drawn)
    assert shown.battle.created_at_ms == visit.clock.now
    visit.vote(shown)


def test_undo_within_ten_seconds_opens_the_battle_again(visit, store):
    shown = visit.next()
    first = visit.vote(shown).vote
    visit.clock.pass_s(9)
    again = visit.arena.undo(shown.token, "anna")
    assert again.battle == shown.battle and again.token != shown.token
    assert store.counted() == [] and store.count(Vote) == 2
    with refused(Reason.USED):
        visit.arena.vote(shown.token, "anna", visit.ballot("right"))
    assert visit.next().token == again.token
    second = visit.arena.vote(again.token, "anna", visit.ballot("right")).vote
    assert [row["vote_id"] for row in store.counted()] == [second.vote_id] != [first.vote_id]


def test_undo_is_refused_when_late_twice_or_by_another(visit):
    shown = visit.next()
    with refused(Reason.NOT_VOTED):
        visit.arena.undo(shown.token, "anna")
    visit.vote(shown)
    with refused(Reason.FOREIGN):
        visit.arena.undo(shown.token, "bert")
    visit.arena.undo(shown.token, "anna")
    with refused(Reason.NOT_VOTED):
        visit.arena.undo(shown.token, "anna")
    later = visit.next()
    visit.vote(later)
    visit.clock.pass_s(10.1)
    with refused(Reason.LATE_UNDO):
        visit.arena.undo(later.token, "anna")


def test_undo_ends_with_the_next_battle(visit):
    shown = visit.next()
    visit.vote(shown)
    visit.next()
    with refused(Reason.LATE_UNDO):
        visit.arena.undo(shown.token, "anna")


def test_systems_are_told_after_the_vote_only_and_close_the_battle(visit):
    shown = visit.next()
    with refused(Reason.NOT_VOTED):
        visit.arena.reveal(shown.token, "anna")
    visit.vote(shown)
    with refused(Reason.FOREIGN):
        visit.arena.reveal(shown.token, "bert")
    assert visit.arena.reveal(shown.token, "anna") == shown.battle
    assert visit.arena.reveal(shown.token, "anna") == shown.battle
    with refused(Reason.REVEALED):
        visit.arena.undo(shown.token, "anna")
    with refused(Reason.REVEALED):
        visit.arena.vote(shown.token, "anna", visit.ballot(aspect="quality"))


def test_good_music_is_a_second_question_on_the_same_battle(visit, store):
    shown = visit.next()
    visit.clock.pass_s(20)
    with refused(Reason.NOT_VOTED):
        visit.arena.vote(shown.token, "anna", visit.ballot(aspect="quality"))
    visit.arena.vote(shown.token, "anna", visit.ballot("left"))
    visit.arena.vote(shown.token, "anna", visit.ballot("right", aspect="quality"))
    assert {row["aspect"]: row["outcome"] for row in store.counted()} == {"fit": "left", "quality": "right"}
    visit.arena.undo(shown.token, "anna")
    assert store.counted() == []


def test_the_thirteenth_vote_in_a_minute_is_stored_but_set_aside(visit, store):
    for number in range(13):
        shown = visit.next()
        visit.clock.pass_s(0.5)
        receipt = visit.arena.vote(
            shown.token, "anna", visit.ballot("skip", listen_left_ms=0, listen_right_ms=0)
        )
        assert receipt.pause == (number == 12)
    flags = store.rows(Flag)
    assert [(flag.rule_id, flag.target_id) for flag in flags] == [("rate-minute", receipt.vote.vote_id)]
    assert store.count(Vote) == 13


def test_a_flagged_vote_is_not_counted_until_it_is_cleared(visit, store):
    vote = visit.vote(visit.next()).vote
    store.add(Flag(target_kind="vote", target_id=vote.vote_id, rule_id="rate-minute"))
    assert store.counted() == []
    store.add(Flag(target_kind="vote", target_id=vote.vote_id, rule_id="rate-minute", verdict="clear"))
    assert len(store.counted()) == 1


def test_an_arena_needs_two_systems(store, world, signer):
    with pytest.raises(UsageError, match="at least two"):
        Arena(store, world, [Competitor(system_id="cca", version="1")] * 2, signer)


def test_ballots_hold_only_known_words(visit):
    with pytest.raises(UsageError, match="a vote is one of"):
        visit.ballot("first")
    with pytest.raises(UsageError, match="unknown reason"):
        visit.ballot(reasons=("<b>",))


def test_an_undo_needs_the_token_of_the_vote_that_stands(visit, store):
    first = visit.next()
    visit.vote(first)
    second = visit.arena.undo(first.token, "anna")
    visit.vote(second, "right", seconds=1)
    with refused(Reason.USED):
        visit.arena.undo(first.token, "anna")
    assert [row["outcome"] for row in store.counted()] == ["right"]
    visit.arena.undo(second.token, "anna")
    assert store.counted() == []


def test_grades_are_stored_with_the_first_reveal_only(visit, store):
    shown = visit.next()
    visit.vote(shown)

    def grade(battle: Battle) -> list[Flag]:
        return [Flag(target_kind="battle", target_id=battle.battle_id, rule_id="graded", verdict="clear")]

    for _ in range(3):
        visit.arena.reveal(shown.token, "anna", grade)
    assert [flag.rule_id for flag in store.rows(Flag)].count("graded") == 1


def test_after_forget_me_consent_is_gone_until_it_is_given_again(visit, store):
    assert visit.arena.has_consent("anna", "1")
    store.forget("anna")
    assert not visit.arena.has_consent("anna", "1")
    shown = visit.next()
    with refused(Reason.NO_CONSENT):
        visit.vote(shown)
    visit.arena.consent("anna", "s", version="1", text="We keep your votes.")
    assert visit.arena.has_consent("anna", "1")


def test_a_declined_consent_counts_whatever_the_clocks_of_two_servers_say(visit):
    visit.clock.pass_s(-3)  # another server, three seconds behind
    visit.arena.consent("anna", "s", version="1", text="We keep your votes.", given=False)
    assert not visit.arena.has_consent("anna", "1")


def test_a_clock_two_hours_back_neither_hides_nor_locks_the_open_battle(visit):
    first = visit.next()
    visit.vote(first)
    visit.clock.pass_s(-7200)
    second = visit.next()
    assert visit.next().token == second.token != first.token
    visit.vote(second)
    assert visit.next().token not in (first.token, second.token)
