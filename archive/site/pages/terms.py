"""The words for what the record speaks of: states, causes, events, and what is true of a moment.

The same words as on the auditor's report; each is a key of the catalogues.
"""

from collections.abc import Mapping
from types import MappingProxyType

from archive.site.words import N_

STATES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "live": (N_("Live"), "●"),
        "recording": (N_("Recording, no connection"), "◐"),
        "thinned": (N_("Live, reduced"), "◔"),
        "backfilling": (N_("Catching up"), "↑"),
        "complete": (N_("Complete"), "✓"),
        "degraded": (N_("View obstructed"), "◩"),
        "silent": (N_("Silent"), "○"),
        "not-armed": (N_("Recording, not armed"), "△"),
        "not-recording": (N_("Not recording"), "✕"),
        "exempt": (N_("Exempt"), "–"),
        "not-covered": (N_("Not covered"), "–"),
        "never-seen": (N_("Not heard from yet"), "·"),
    }
)
"""Word and sign of each state of a station, in the order in which lists of them stand."""

TEST = (N_("Test"), "T")
"""Stands before the state of a station whose recording is a test, whatever the state."""
TEST_MEANING = N_("This is a test recording. It is not election video.")

STATE_MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "live": N_("The picture arrives as it is recorded."),
        "recording": N_("The unit was recording when it was last heard. What it records now will follow."),
        "thinned": N_("The link is too thin for all of the video: a part arrives now, the rest will follow."),
        "backfilling": N_("Video that was recorded without a connection is arriving."),
        "complete": N_("The record is closed, and all of it is here."),
        "degraded": N_("Something covers the view of a camera."),
        "silent": N_("The unit has said nothing for some time. Whether it records cannot be told from here."),
        "not-armed": N_("The unit records, but nobody has armed it. This video stays at the station."),
        "not-recording": N_("The unit itself says that no camera of it records."),
        "exempt": N_("This station is not recorded, for the reason given."),
        "not-covered": N_("This station has no camera."),
        "never-seen": N_("No unit of this station has been heard yet."),
    }
)

SPANS: Mapping[str, str] = MappingProxyType(
    {
        "segment": N_("Verified video"),
        "recovered": N_("Found after a restart, not signed at capture"),
        "withheld": N_("Held back: recorded and signed, not shown now"),
        "held": N_("Held by the archive"),
        "damaged": N_("Here, but does not check"),
        "missing": N_("Known, on its way"),
        "thinned": N_("Reduced: a part is here, the rest is on its way"),
        "at-unit": N_("Not armed: stays at the station"),
        "pruned": N_("Deleted as the rules allow; the digest remains"),
        "gap": N_("Gap: nothing was recorded"),
        "unexplained": N_("Missing, and the record does not say why"),
    }
)

CAUSES: Mapping[str, str] = MappingProxyType(
    {
        "starting": N_("the recorder was starting"),
        "stopping": N_("the recorder was stopping"),
        "stopped": N_("the recorder had been stopped"),
        "power": N_("no power"),
        "crash": N_("the recorder failed"),
        "camera": N_("the camera gave no picture"),
        "overload": N_("the unit could not keep up"),
        "disk-full": N_("the disk was full"),
        "disk-error": N_("the disk failed"),
        "thermal": N_("the unit was too hot"),
        "paused": N_("recording was paused"),
        "reconfigured": N_("the settings were changed"),
        "replaced": N_("the unit or its disk was replaced"),
        "unknown": N_("the cause is not known"),
    }
)

EVENTS: Mapping[str, str] = MappingProxyType(
    {
        "armed": N_("Armed"),
        "opened": N_("Opening"),
        "closed": N_("End of voting"),
        "counting": N_("Counting"),
        "protocol-shown": N_("Protocol shown"),
        "finished": N_("Finished"),
        "stopped": N_("Recorder stopped"),
        "pin-refused": N_("PIN refused"),
        "camera-restart": N_("Camera restarted"),
        "set-aside": N_("Bytes found and set aside"),
        "power": N_("Supply voltage"),
        "thermal": N_("Temperature"),
        "bitrate": N_("Bitrate changed"),
        "foreign-disk": N_("Disk of another unit"),
        "view-covered": N_("View covered"),
        "view-restored": N_("View clear again"),
        "scene-changed": N_("View changed"),
        "tamper": N_("Unit touched or moved"),
        "paused": N_("Recording paused"),
        "resumed": N_("Recording resumed"),
    }
)

MODES: Mapping[str, str] = MappingProxyType(
    {
        "LIVE": N_("LIVE: election video"),
        "TEST": N_("TEST: not election video"),
        "UNARMED": N_("UNARMED: recorded before arming"),
    }
)

CLOCKS: Mapping[str, str] = MappingProxyType(
    {
        "synced": N_("Clock synchronised"),
        "unsynced": N_("Clock not synchronised"),
        "unset": N_("Clock not set"),
    }
)
