"""Every short text of the page in one place."""

from __future__ import annotations

from mvr.page.texts.about import ABOUT as ABOUT
from mvr.page.texts.arena import ARENA as ARENA
from mvr.page.texts.board import BOARD as BOARD
from mvr.page.texts.words import Words as Words

NAME = "mvr"
TITLE = "mvr: music for your video"
START_PAGE = "mvr, start page"
HEADLINE = "Music that fits your clip"
TAGLINE = "Drop a clip, hear ranked music on it, take the file away."
PREVIEW_ALT = "A clip with its ranked tracks, one of them playing on it"

TAB_VIDEO_TO_MUSIC = "Video to music"
TAB_MUSIC_TO_VIDEO = "Music to video"
TAB_VOTE = "Vote"
TAB_LEADERBOARD = "Leaderboard"
TAB_LIBRARY = "Library"
TAB_EVALUATE = "Evaluate"
TAB_ABOUT = "About & privacy"

FOOTER = "Runs on this machine. No account needed, no tracking, nothing is loaded from elsewhere."

ABOUT_WHAT = (
    "mvr ranks music for a short video, and videos for a piece of music, with two published models: MVBind "
    "(arXiv:2405.09286) and Control-MVR (arXiv:2412.05831). It also lets people judge, without knowing which system "
    "chose what, how well the two fit. Neither paper released its weights, so the systems here were trained by this "
    "project; each one below says on what. The small default systems learned from synthetic pairs: genre, tempo, "
    "energy, mood and colour."
)
NO_SYSTEMS = "No system is installed."
PRIVACY_PLACE = "Your files are processed on the machine that serves this page and go nowhere else."
PRIVACY_OWN = "What you upload is shown to you alone and never enters the library unless you add it there."
PRIVACY_KEPT = (
    "Uploads are deleted a minute after you close the page, or {minutes:g} minutes after you last used them; the "
    "upload folder itself is emptied within ten minutes."
)
PRIVACY_CACHE = (
    "While a file is being uploaded, its address is made from its content, so somebody who has the same file could "
    "tell that it was uploaded here."
)
PRIVACY_COOKIES = (
    "The page sets no cookies and keeps no history in your browser. Each browser tab keeps a random number, which "
    "finds your clip again when you reload the page."
)
PRIVACY_ADDRESS = (
    "Network addresses are used in memory only, to slow down floods of requests; they are never stored."
)

UPLOAD_HINT = "Up to {minutes:g} min and {size} MB. Only you see it."
SCORE_MEANING = "strong, fair or weak: compared with a random item of this library"
STRONG, FAIR, WEAK = "strong", "fair", "weak"
STRENGTH = (
    "Fits better than {percent:.0f} % of this library, {spreads:.1f} standard deviations {where} its average; "
    "score {score:.2f} of 1."
)
ABOVE, BELOW = "above", "below"
DARK, BRIGHT, WARM, COLD = "dark", "bright", "warm colours", "cold colours"
STILL, LIVELY, QUICK, CALM = "calm", "lively", "fast", "calm"
CUTS = "a cut every {seconds:.1f} s"
BPM = "{bpm:.0f} bpm"
MAJOR, MINOR = "major", "minor"
FROM, FROM_BEGINNING = "from {at}", "from the beginning"
MUSIC_STARTS = "music {start}"
CLIP_SEEN, MUSIC_HEARD = "Your clip: {words}", "Your music: {words}"
MOOD_LABEL = "Mood"
PACE_LABEL = "Tempo"
PACES = (("Any", "any"), ("Slow", "slow"), ("Medium", "medium"), ("Fast", "fast"))
SEES = "In the clip:"
ASKS_FOR = "which suggests"
BECAUSE = "Fits because:"
WORDS_HINT = "Guessed from picture and sound. Press a word to see only what matches it."
ALPHA_LABEL = "What should decide?"
ALPHA_LEFT = "How artists pair them"
ALPHA_RIGHT = "Same genre"
EXPORT_MP4 = "Download MP4"
EXPORT_AGAIN = "Save it again: {music}"
EXPORT_CREDIT = "Credit line"
CREDIT_FILE = "{credit}\n{where}; made with mvr {version}\n"
CREDIT_FROM = "starts at {start:.2f} s"
CREDIT_FITTED = "cut to the clip's length"
EXPORT_PACK = "Decision pack (zip)"
EXPORT_TIMELINE = "Timeline for an editor (.otioz)"
EXPORT_CSV = "List as CSV"
EXPORT_JSON = "List as JSON"
ORIGINAL_LABEL = "The clip's own sound"
ORIGINALS = (("Off", "mute"), ("Mixed in", "mix"), ("Music makes room", "duck"))
REFINE = "Refine"
ANY = "any"
NOT_A_NUMBER = "{label}: “{typed}” is not a number; write one such as 90, or leave the box empty"
LIBRARY_LABEL = "Search in"
LIBRARY_DEMO = "Demo library"
LIBRARY_OWN = "My library"
SYSTEM_LABEL = "System"
NOT_READY = "{count} more systems can be installed: see the tab About & privacy."
GENRE_LABEL = "Genre"
INSTRUMENT_LABEL = "Instrument (guessed)"
LICENCE_LABEL = "Licence"
TEMPO_MIN_LABEL = "Tempo from (bpm)"
TEMPO_MAX_LABEL = "Tempo to (bpm)"
DURATION_MAX_LABEL = "At most (seconds)"
EARN_LABEL = "I earn money with this"
EARN_INFO = "Only music whose licence allows it, ranked by a system whose licence allows it too."
MAY_USE = "use: {may}"
VARIETY_LABEL = "Variety"
TIMING_LABEL = "Start the music where it meets the picture"
TIMING_INFO = "Off: each track starts at the part that fits best. The order is the same."
FIT, FIT_GO = "Fit to length", "Fit"
FIT_HINT = {
    "v2m": "Cuts the chosen track to your clip by whole bars. A click on the clip's time line sets the hit.",
    "m2v": "Cuts your music to the chosen video by whole bars. A click on the video's time line sets the hit.",
}
FIT_HIT, FIT_HIT_NONE = "Hit at second", "none"
FIT_ENDING = "Ending"
FIT_ENDINGS = (("real", "the track's own"), ("fade", "fade-out"))
FITTING = {"v2m": "Fitting {title} to your clip …", "m2v": "Fitting your music to {title} …"}
FITTED = {"v2m": "{title} is fitted to your clip.", "m2v": "Your music is fitted to {title}."}
FIT_PLAINLY = {
    "v2m": "{title} cannot be fitted well, so it is cut plainly. The plan below says why.",
    "m2v": "Your music cannot be fitted well to {title}, so it is cut plainly. The plan below says why.",
}
ITEM_GONE = "{title} is gone from the library; move a control for a list of what is there."
FIT_GONE = "Another track was fitted meanwhile; press “Fit” again."
FIT_CHOICE = "What is heard and downloaded"
FIT_HEAR, FIT_PLAIN = "Fitted", "Plain cut"
FIT_PIECE = "{at:.2f} s: the track from {start:.2f} to {end:.2f} s"
FIT_NO_JOIN = ", in one piece"
FIT_AGAIN = "The same {count} times more, up to {until:.2f} s"
EXPORT_MUSIC = "Fitted music (.wav)"
LOOKING, LISTENING = "Looking at the whole clip: {percent} %", "Listening to the whole music …"
MEASURING = {"v2m": "Measuring beats: {done} of {total}", "m2v": "Measuring cuts: {done} of {total}"}
UNMEASURED = {
    "v2m": "Your clip could not be looked at to its end, so tracks start where their content fits best.",
    "m2v": "Your music could not be measured, so it starts where its content fits best.",
}
TEXT_LABEL = "In words"
TEXT_HINT = "calm piano at dusk"
CANCEL = "Cancel"
CANCELLED = "Cancelled. Nothing was changed."
READING = "Reading {name} …"
MATCHING = "Listening for what fits …"
READING_LIBRARY = "Listening to your library once more, for this system or version …"
SLOW = "{title} needs about {seconds:.0f} s for this on this machine …"
CONVERTING = "Making it playable here …"
SECONDS_LEFT, MINUTES_LEFT = "about {seconds} s left", "about {minutes} min left"
RANKED_ONE, RANKED = "One result for {name}.", "{count} results for {name}."
NOT_EXACT = "The list is not exact: {answer}."
INDEX_SILENT = "The shared library does not answer right now; the library of this server was searched."
INDEX_LACKS = "The shared library was not made for this system; the library of this server was searched."
INDEX_PARTLY = "The shared library is still being filled: {held} items are there, {missing} are to come."
INDEX_PLAIN = (
    "For words, instruments, spread and votes this server's own library was searched, not the shared one."
)
MUXING = "Writing your file with {title} …"
EXPORT_LEFT = "{title} was not written, for another clip was chosen before."
MUXED = "Your file with {title} is ready."
UNKNOWN_ITEM = "This item is no longer in the library; search again."
TASTE_LABEL = "Order"
TASTE_PLAIN_NAME = "As the system ranks"
TASTE_VOTES_NAME = "As people voted"
TASTE_MINE_NAME = "My taste (from my votes)"
TASTE_NONE = "Votes have not improved this system's order yet, so the list is as the system ranks it."
TASTE_VOTES = "{votes} votes moved {moved} of the first {depth} results; the fit shown is the system's own."
TASTE_MINE = (
    "Your {votes} votes moved {moved} of the first {depth} results; the fit shown is the system's own."
)
TASTE_OF = {"v2m": "two tracks for one clip", "m2v": "two clips for one track"}
TASTE_MISSING = (
    "My taste learns from {wanted} of your votes in the tab Vote on {what}: {have} so far, {missing} to go. Skips, "
    'checks and "neither fits" teach it nothing.'
)
TASTE_NO_HELP = (
    "Your {votes} votes do not show a clear taste yet, so the list is as the system ranks it. More votes help, "
    "most of all on clips like yours and with a clear winner."
)
TASTE_DIVERSE = "Votes change the order only when variety is 0."
LICENCE_UNKNOWN = "licence unknown"
NO_ROOM = "There is no room left on this server's disk; please try again later."
INTERNAL = "Something went wrong on our side. Please try again; your other results are unchanged."


DROP_VIDEO = "Drop a video here, or choose one"
EXAMPLES = "Or try one of these"
BARE_HINT = "Add some in the tab Library, or search another library."
VIDEO_TO_MUSIC = Words(
    lead="Find music for a clip",
    upload=DROP_VIDEO,
    examples=EXAMPLES,
    empty_title="Your music appears here",
    empty_hint="Choose a clip, or start with an example.",
    none_title="No track matches these filters",
    none_hint="Widen the tempo, allow more genres, or search another library.",
    bare_title="This library holds no music",
    bare_hint=BARE_HINT,
    found="tracks, best first",
    found_one="track",
    use="Hear on clip",
    export_why="Choose a track with “Hear on clip” first.",
    file="video",
)
MUSIC_TO_VIDEO = Words(
    lead="Find videos for a piece of music",
    upload="Drop music here, or choose a file",
    examples=EXAMPLES,
    empty_title="Your videos appear here",
    empty_hint="Choose a piece of music, or start with an example.",
    none_title="No video matches these filters",
    none_hint="Allow more genres or longer videos, or search another library.",
    bare_title="This library holds no videos",
    bare_hint=BARE_HINT,
    found="videos, best first",
    found_one="video",
    use="See with music",
    export_why="Choose a video with “See with music” first.",
    file="music",
)

PLAY, WATCH = "Play {name}", "Watch {name}"
BY = "{title} by {artist}"
POSITION, AT_OF = "Position in {name}", "{at} of {length}"
STEPS = "Step through the list"
STEP_BACK = "Previous in the list"
STEP_ON = "Next in the list"

# what the page's scripts say, as window.mvTexts
SCRIPTS = {
    "held": "When these have arrived: {count} more",
    "play": "Play",
    "pause": "Pause",
    "from": "from {at}",
    "from_beginning": FROM_BEGINNING,
    "music_starts": MUSIC_STARTS,
    "strip": "Cuts of the clip above, beats and parts of the music below",
    "strip_move": "Where the music starts: drag it, or use the arrow keys; hold Alt to ignore the beats",
    "strip_at": "{at} seconds into the track",
    "strip_hit": "Click to set the second that fitted music should hit",
    "fitted": "fitted to the clip",
    "music_from": "Music from {at} s",
    "starts_over": "starts over {count} times",
    "starts_over_once": "starts over once",
    "near_beats": "{share} % of cuts near a beat (random cuts: {random} %)",
    "places": "Good starts",
    "place": "{at} s",
    "place_told": "Start the music at {at} s, good start {number}",
    "on_beats": "cuts on beats",
    "on_beats_told": "Start the music at {at} s: most cuts on beats near here, {share} % (random cuts: {random} %)",
    "sound_lost": "This sound could not be loaded. Try again.",
    "clip_lost": "The clip could not be loaded. Try again.",
    "press_space": "Press Space or Play to listen.",
    "left_open": "Here is the battle you left open.",
    "press_watch": "Press A or B to watch. The music keeps its place.",
    "press_listen": "Press A or B to listen. The video keeps its place.",
    "preparing": "Preparing the next battle …",
    "battle_of": "Battle {at} of {wanted}",
    "all_done": "All {wanted} battles are done. Thank you.",
    "saving": "Saving …",
    "saved_rest": "Saved. That was quick: take a short rest before the next one.",
    "saved": "Saved. You can undo it for 10 seconds.",
    "not_saved_yet": "Not saved yet: {why}.",
    "not_saved": "Not saved: {why}",
    "saved_too": "Saved as well.",
    "taken_back": "Taken back. Choose again.",
    "named": "This is what they were.",
    "chosen": "chosen by {system}",
    "chosen_as": "chosen by {system}, rank {rank}",
    "by": BY,
    "read_first": "Please read this first.",
    "welcome_back": "Welcome back. Set a comfortable volume, then go on.",
    "preparing_grade": "Preparing the next track …",
    "all_graded": "There is nothing left for you to grade. Thank you.",
    "disagreement": "Disagreement {at} of {all}",
    "graded": "Graded {own} of {all}",
    "back_to_list": "Back to the list (R)",
    "disagree": "Where judges disagree: {count} (R)",
    "grades_so_far": "Grades so far: {grades}. Yours: {own}.",
    "keep_mine": "Keep mine (S)",
    "cannot_say": ARENA.cannot_say,
    "listen_first": "Listen first: {left} s to go.",
    "how_well": ARENA.grade_which,
    "which_better": ARENA.which,
    "listen_both": "Listen to both first: A {a} s, B {b} s to go.",
    "no_answer": "The server did not answer. Try again.",
    "declined": "Nothing is kept. All other tabs work as before.",
    "set_volume": "Set a comfortable volume first.",
    "withdraw": "Withdraw all your votes? They will no longer count.",
    "withdrawn": "Your votes are withdrawn. You are a new visitor now.",
}

LIBRARY_LEAD = "What is searched"
LIBRARY_SEARCH = "Find"
LIBRARY_SEARCH_HINT = "title, artist, genre, mood"
LIBRARY_KIND = "Show"
LIBRARY_KINDS = (("All", "all"), ("Music", "audio"), ("Video", "video"))
LIBRARY_ADD = "Add your own"
LIBRARY_UPLOAD = "Drop music or videos here"
LIBRARY_FOLDER = "Or a folder on this computer"
LIBRARY_FOLDER_HINT = "/home/me/Music"
LIBRARY_FOLDER_BUTTON = "Add folder"
LIBRARY_KEPT_LOCAL = "Added files stay in your library on this computer until you remove them."
LIBRARY_KEPT_SHARED = "Only you see what you add here, and it is deleted with your visit."
LIBRARY_ADDING = "Adding {name} ({done} of {total}){more} …"
LIBRARY_THEN = ", then {count} more"
LIBRARY_BEHIND = "To be added: {count}. Files of others are added first …"
LIBRARY_STOP = "Stop adding"
LIBRARY_STOPPING = "Stopping after {name} …"
LIBRARY_TOO_MANY = (
    "{count} files were not taken: {waiting} wait to be added, and {most} may. Drop them when some are done."
)
LIBRARY_PLAYLIST = (
    "{name}: a playlist names files of your computer, which this page cannot see; drop those files."
)
ADDED = "{count} added"
ADDED_KNOWN = "{count} were there already"
ADDED_SKIPPED = "{count} could not be used"
ADDED_STOPPED = "{count} not added, for you stopped"
ADDED_SAME = "{count} hold the same music as another, so only one of them is ranked"
LIBRARY_EMPTY_OWN = "Your library is empty"
LIBRARY_EMPTY_OWN_HINT = "Add music or videos above; they are then ready to be searched."
LIBRARY_EMPTY_DEMO = "The demo library is not installed"
LIBRARY_EMPTY_DEMO_HINT = "Add your own music or videos to “My library”."
LIBRARY_NONE = "Nothing matches"
LIBRARY_NONE_HINT = "Try fewer letters, or show all kinds."
LIBRARY_ONE, LIBRARY_ITEMS, LIBRARY_PAGES = "item", "items", "Pages"
LIBRARY_PAGE = "{first} to {last} of {total}"
LIBRARY_EARLIER, LIBRARY_LATER = "Earlier", "Later"
LIBRARY_SEARCH_ONE = {"audio": "Search it now", "video": "Find music for it"}
LIBRARY_SEARCH_NOW = {"audio": "Search these {count} now", "video": "Find music for one of these {count}"}
LIBRARY_EDIT, LIBRARY_SAVE = "Edit", "Save"
LIBRARY_TITLE, LIBRARY_ARTIST, LIBRARY_GENRE, LIBRARY_LICENCE = "Title", "Artist", "Genre", "Licence"
LIBRARY_EDITED = "{title} is saved. The file itself is unchanged."
LIBRARY_UNDO, LIBRARY_RESTORED = "Undo", "{title} is back."
LIBRARY_REMOVE = "Remove"
LIBRARY_GONE = "file is missing, so not ranked"
LIBRARY_REMOVED = "Removed {title} from your library."
LIBRARY_NOT_OWN = "Only what is in your own library can be removed."
LIBRARY_NO_FOLDER = "Type the path of a folder first."
LIBRARY_LOCAL_ONLY = "Folders can be added only when the page runs on your own computer, for you alone."

EVALUATE_LEAD = "How well do the systems find what belongs together?"
EVALUATE_SET = "Results"
EVALUATE_TASK = "Task, direction and pool"
EVALUATE_FIRST = ("System", "Alpha")
EVALUATE_LAST = ("Median rank", "MRR")
CURVE_FLAT = "{value:.1f} at every alpha"
CURVE_POINT = "{value:.1f} at alpha {alpha:g}"
EVALUATE_NONE = "There are no results here yet; python -m eval.protocols run demo makes some."
EVALUATE_NOTE = (
    "Features: {video} and {audio}; {rows} pairs of split {split}. Below each value is its 95 % interval over "
    "groups. Compare rows within one table only: another pool has another chance level."
)
EVALUATE_UPLOAD_TITLE = "Your own system"
EVALUATE_UPLOAD_HINT = (
    "A results.json or results.csv of python -m eval.retrieval; or three files: embeddings of your test pairs as "
    "video.npy and audio.npy in one space (at most 5,000 rows, 2,048 wide), and a manifest.csv with a column id and, "
    "if you like, group and label columns. They stay with your visit and are deleted with it."
)
EVALUATE_UPLOAD = "Results file, or two matrices and a manifest"
EVALUATE_WANTED = (
    "Give one results file (.json or .csv), or three files together: two .npy matrices and one .csv manifest."
)
EVALUATE_NAMES = (
    "Name one matrix with 'video' and the other with 'audio' or 'music', so that it is clear which is which."
)
EVALUATE_ALPHA = "alpha {alpha}"
EVALUATE_YOURS = "your system"
EVALUATE_OWN = "yours"
EVALUATE_OWN_NOTE = (
    "These are your own rows, as your file states them or as they were measured here from your embeddings."
)
EVALUATE_CHANCE = "chance"
EVALUATE_BESIDE = (
    "{count} rows read. They are shown beside ours in {places} tables with the same task, direction and "
    "pool size."
)
EVALUATE_ALONE = (
    "{count} rows read. No table here has the same task and pool size, so they are shown on their own."
)
EVALUATE_PEOPLE = "What people preferred"
EVALUATE_PEOPLE_AXIS = "decisive votes won (%)"
EVALUATE_VOTES = "votes"
EVALUATE_NO_VOTES = (
    "No votes between alphas yet: once people have compared them, their preference is drawn here."
)

VOTE_LEAD = "What fits better?"
SIGN_IN = "Sign in with Hugging Face (optional)"
SIGN_OUT = "Sign out ({})"
VOTE_KNOWN = "I knew one of them, or recognised the clip's own sound"
VOTE_HEARING = "You need to hear the music to vote. Everything else on this page works without sound."
PLANTED = "no system: this was a check"
BY_PAIRS, BY_GENRE, PART_GENRE = "by pairs", "by genre", "{percent:.0f} % genre"
CONSENT = (
    "You compare two pieces of music on one clip, or grade how well one fits, without knowing which system chose them.",
    "What is kept: your choices and grades, how long you listened, a random number instead of your name. "
    "No address, no e-mail, no uploaded file. Votes that come from one network on one day share a label, which does "
    "not reveal the network, so that a campaign can be noticed. If you sign in with an account, where that is "
    "offered, only a keyed hash of it is kept, to find your votes again.",
    "Why: votes and grades decide the leaderboard and help to improve the ranking. They may be published under "
    "CC BY 4.0, with new numbers and labels. Votes of new voters are provisional: hidden checks show who "
    "listens, and what looks like a campaign is set aside as a whole.",
    "You may stop at any time, download your votes, or withdraw them with one click. You must be 18 or older.",
)
GRADE_GUIDE = (
    "Grade how well the music fits this clip, not how good the music is. The same music may fit one clip and not "
    "another. If you cannot tell, say so: that is not a 0."
)
GRADE_REVIEW = (
    "Judges differ by two grades or more here. Listen again: keep your grade with S, or give another, "
    "which replaces it."
)
GRADE_ALL = "You have graded everything here. Vote on battles, or come back later."
STUDY_END = "Copy this code and give it to the people who invited you."
SAVED = "Votes saved on this server: {count}."
OWN_COUNTED = "{counted} of your {closed} votes may count on the leaderboard"
OWN_CHECKS = "{count} checked whether sound is on"
OWN_SKIPPED = "{count} skipped"
OWN_SET_ASIDE = "{count} too fast or not heard long enough"
OWN_TASTE = {
    "v2m": "My taste in music: {have} of {wanted} votes.",
    "m2v": "My taste in clips: {have} of {wanted} votes.",
}
OWN_TASTE_READY = {
    "v2m": "My taste in music is ready: choose it under Refine.",
    "m2v": "My taste in clips is ready: choose it under Refine.",
}
COPIED = "Last copied at {at}."
COPY_NEVER = "Copying to the dataset could not start; the operator's log says why."
COPY_FAILED = "The last copy failed; {rows} rows wait for the next one."
VOTERS_WANTED = {
    "anyone": "",
    "account": "Only people who are signed in can vote on this server. Sign in above, then reload the page.",
    "study": "Only participants of a study can vote on this server. Open the address that was sent to you.",
}
NO_STUDY = "No study runs here, so the participant id in the address is ignored."
BAD_CALL = "the page sent something that this server does not understand; reload it"
NO_BATTLE_PLAYS = "the next pair cannot be played just now; try again in a moment"
OWN_CLIP_GONE = "your own clip is no longer here; upload it again"
OWN_CLIP_LABEL = "Vote on my own clip"
OWN_CLIP_DROP = DROP_VIDEO
OWN_MUSIC_MAY = (
    "The music already on my clip may compete, unnamed. My votes record that it did; the clip itself is never "
    "kept."
)
ORIGINAL_COMPETES = (
    "Its own sound is music and competes (voice {speech:.0f} % of the time, at most {most_speech:.0f} %; noise "
    "{flatness:.2f}, at most {most_flatness:g}; level {level:.0f} dBFS, at least {least_level:.0f})."
)
ORIGINAL_NO_MUSIC = (
    "Its own sound does not compete (voice {speech:.0f} % of the time, at most {most_speech:.0f} %; noise "
    "{flatness:.2f}, at most {most_flatness:g}; level {level:.0f} dBFS, at least {least_level:.0f})."
)
ORIGINAL_SILENT = "It has no sound of its own that could compete."
ORIGINAL_TITLE = "The clip's own sound"
ORIGINAL_SYSTEM, ORIGINAL_OWNER = "original", "whoever made the clip"
OWN_CLIP_READY = "Your clip is ready: the next battle is about it."
BOARD_WHICH, BOARD_AGAIN, BOARD_TO = "Votes on", "Count again", " to "
BOARD_RATINGS, BOARD_PAIRS, BOARD_REPORT = "Ratings as CSV", "Pairs as CSV", "Report"
BOARD_LEAD = "How people voted"
BOARD_DOUBTS = "Read this before you quote the order"
BOARD_CHECKS = "More checks, the points of every pair, and the order with one thing left out"
BOARD_POINTS = "Points of the first system (win 1, tie 1/2), seen and expected"
BOARD_GROUPS = "Groups that never met, each with its own order"
BOARD_ORIGINAL = "Against the clip's own music"
BOARD_COUNTING = (
    "The votes are being counted for the first time since the server started. Press Count again in a moment."
)
BOARD_NEWER = "{votes} newer votes are still being counted; Count again shows them when that is done."
BOARD_SAVED = "Of {saved} saved votes {board} are on the leaderboard"
BOARD_LEFT_OUT = {
    "votes on checks and repeats": "{votes} checked whether people listen",
    "votes skipped": "{votes} were skipped",
    "votes set aside by flags, consent or listening time": "{votes} were too fast or not heard long enough",
    "votes of excluded voters": "{votes} are set aside: their voters clicked blindly or for one side or system",
    "votes that a system was trained on": "{votes} taught a system that they would have judged",
}
BOARD_PROVISIONAL = " {votes} of those on it are provisional: their voters are new."
BOARD_EMPTY = "No votes yet. Cast the first one in the tab Vote."
