"""What writes the archive, built from its parts: by whoever has them for itself, the server or a courier."""

from archive.ingest.committer import Committer
from archive.ingest.held import Receipted
from archive.ingest.lines import LineIntake
from archive.parts import Parts
from archive.receipts import Acknowledger, load_certificates, load_signer
from base.clock import Clock


def make_committer(parts: Parts, clock: Clock) -> Committer:
    """Raises OperatorError for a receipt key that cannot be used."""
    config = parts.config
    return Committer(
        store=parts.store,
        ledgers=parts.ledgers,
        aside=parts.aside,
        journal=parts.journal,
        index=parts.index,
        acknowledger=Acknowledger(
            election=config.election,
            archive=config.name,
            signer=load_signer(config.receipt_key),
            certs=load_certificates(config.receipt_certificate),
            trust=parts.trust,
            utc_us=lambda: clock.read().utc_us,
        ),
    )


def make_lines(parts: Parts, clock: Clock, committer: Committer) -> LineIntake:
    """What verifies lines for that committer."""
    config = parts.config
    return LineIntake(
        election=config.election,
        receipted=Receipted(election=config.election, name=config.name, index=parts.index, store=parts.store),
        trust=parts.trust,
        clock=clock,
        limits=config.limits,
        index=parts.index,
        ledgers=parts.ledgers,
        journal=parts.journal,
        committer=committer,
    )
