"""Low voltage and heat, as lines: what may explain later why the machine went off."""

from appliance.upkeep.hardware import Health
from evidence.lines import Event

TOO_HOT_MILLI_C = 80_000
"""From here on a Pi's firmware slows the processor down."""
COOL_MILLI_C = 75_000
STEADY_NS = 60_000_000_000
"""Good news is told once it has lasted so long, so that a flickering sensor does not fill the ledger."""


class HealthWatch:
    """What has been told, and what is to be told next."""

    def __init__(self) -> None:
        self.under_voltage = False
        self.too_hot = False
        self._good_since_ns: dict[str, int] = {}

    def changes(self, health: Health, now_ns: int) -> list[Event]:
        """Lines for what has changed by ``now_ns``."""
        events: list[Event] = []
        if health.under_voltage is not None and self._turns("power", self.under_voltage, health.under_voltage, now_ns):
            self.under_voltage = health.under_voltage
            events.append(Event(event="power", data={"under_voltage": int(self.under_voltage)}))
        if health.milli_c is not None:
            hot = health.milli_c >= (COOL_MILLI_C if self.too_hot else TOO_HOT_MILLI_C)
            if self._turns("thermal", self.too_hot, hot, now_ns):
                self.too_hot = hot
                events.append(Event(event="thermal", data={"too_hot": int(hot), "milli_c": health.milli_c}))
        return events

    def _turns(self, what: str, told: bool, bad: bool, now_ns: int) -> bool:
        if bad or not told:
            self._good_since_ns.pop(what, None)
            return bad and not told
        return now_ns - self._good_since_ns.setdefault(what, now_ns) >= STEADY_NS
