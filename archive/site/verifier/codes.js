/** What a finding can be (spec/verify.md, section 4): code, class and meaning. */

/** Each code with its class, `wrong`, `open` or `note`, and what it means. */
export const CODES = new Map([
  ['line-too-long', { class: 'wrong', meaning: 'A line is longer than the format allows.' }],
  ['torn-tail', { class: 'note', meaning: 'The last line is unfinished, as a power cut leaves it.' }],
  ['line-malformed', { class: 'wrong', meaning: 'A line is not a compact JWS.' }],
  ['header-refused', { class: 'wrong', meaning: "A line's header is not the one that the format fixes." }],
  ['version-unknown', { class: 'open', meaning: 'A line is of a later version of the format.' }],
  ['payload-malformed', { class: 'wrong', meaning: "A line's content breaks the format." }],
  ['kind-unknown', { class: 'note', meaning: 'A line is of a kind that this verifier does not know.' }],
  ['no-trust', { class: 'open', meaning: 'No election root was given, so nobody vouches for the keys.' }],
  ['cert-untrusted', { class: 'wrong', meaning: "The unit's certificate does not lead to a trusted election root." }],
  ['cert-wrong-election', { class: 'wrong', meaning: "The unit's certificate is for another election." }],
  ['cert-wrong-station', { class: 'wrong', meaning: "The unit's certificate is for another station." }],
  ['cert-wrong-unit', { class: 'wrong', meaning: "The unit's certificate is for another unit." }],
  ['cert-expired', { class: 'wrong', meaning: "The unit's certificate had expired when the session began." }],
  [
    'cert-not-yet-valid',
    { class: 'wrong', meaning: "The unit's certificate was not yet valid when the session began." },
  ],
  ['cert-revoked', { class: 'wrong', meaning: "The unit's certificate had been revoked before the session ended." }],
  [
    'cert-time-unknown',
    { class: 'open', meaning: 'The time of the session is not known well enough to judge its certificate.' },
  ],
  [
    'start-mismatch',
    { class: 'wrong', meaning: 'A session names another election, station or unit than the record it stands in.' },
  ],
  ['key-unknown', { class: 'wrong', meaning: 'A line is signed by a key that no session enrolled.' }],
  ['key-stale', { class: 'wrong', meaning: 'A line is signed by the key of an earlier session.' }],
  ['signature-wrong', { class: 'wrong', meaning: "A line's signature does not check." }],
  ['head-missing', { class: 'wrong', meaning: 'The beginning of the record is missing.' }],
  ['line-missing', { class: 'wrong', meaning: 'Lines are missing from the record.' }],
  ['line-repeated', { class: 'wrong', meaning: 'A line stands in the record twice.' }],
  ['line-reordered', { class: 'wrong', meaning: 'A line stands in the wrong place.' }],
  ['prev-mismatch', { class: 'wrong', meaning: 'A line does not follow the line before it.' }],
  ['line-after-close', { class: 'wrong', meaning: 'A line follows the end of the record.' }],
  [
    'open-end',
    {
      class: 'open',
      meaning: 'The record is not closed: what came after its last line cannot be told from this copy.',
    },
  ],
  [
    'time-backwards',
    { class: 'wrong', meaning: 'Boot time runs backwards, or a session tells of time before it began.' },
  ],
  ['time-ahead', { class: 'wrong', meaning: 'A line tells of time that had not come when it was made.' }],
  ['clock-step-untold', { class: 'wrong', meaning: 'The wall clock was set and the record does not say so.' }],
  [
    'clock-contradiction',
    {
      class: 'wrong',
      meaning: "The clock's statements contradict each other: the time server or the clock was wrong.",
    },
  ],
  ['clock-step', { class: 'note', meaning: 'The synchronised clock was set, and the record says so.' }],
  ['hole', { class: 'wrong', meaning: 'Time is missing that no gap explains.' }],
  ['overlap', { class: 'wrong', meaning: 'Two segments claim the same time.' }],
  ['gap-over-segment', { class: 'wrong', meaning: 'A gap claims time that a segment covers.' }],
  ['recovered-not-contiguous', { class: 'wrong', meaning: 'Media found after a restart do not continue the record.' }],
  ['recovered-too-long', { class: 'wrong', meaning: 'Media found after a restart are longer than a crash can leave.' }],
  ['index-missing', { class: 'wrong', meaning: 'A run or a segment is left out of the count.' }],
  ['run-unknown', { class: 'wrong', meaning: 'A segment belongs to a run that was never opened.' }],
  ['profile-refused', { class: 'wrong', meaning: 'The election profile does not verify.' }],
  ['mode-mismatch', { class: 'wrong', meaning: "A segment's mode is not the one in force." }],
  ['test-as-live', { class: 'wrong', meaning: 'A test or unarmed recording is passed off as live.' }],
  ['media-missing', { class: 'wrong', meaning: 'A segment that the record names is not here.' }],
  [
    'unarmed-at-unit',
    { class: 'note', meaning: "An unarmed segment is not in this archive's copy: such video stays at the unit." },
  ],
  ['media-changed', { class: 'wrong', meaning: "A segment's bytes are not the ones that were signed." }],
  ['media-swapped', { class: 'wrong', meaning: 'Another segment lies in the place of this one.' }],
  ['media-malformed', { class: 'wrong', meaning: 'A signed segment is not in the format.' }],
  ['identity-mismatch', { class: 'wrong', meaning: 'A segment says that it is another than the record says.' }],
  ['media-mismatch', { class: 'wrong', meaning: "A segment's times or pictures are not as the record says." }],
  ['media-undecodable', { class: 'wrong', meaning: "A segment's pictures cannot be decoded." }],
  ['init-missing', { class: 'note', meaning: "A run's init segment is not here, and no segment that would prove it." }],
  ['init-changed', { class: 'wrong', meaning: "A run's init segment is not the one that was signed." }],
  ['init-mismatch', { class: 'wrong', meaning: "A segment belongs to another init segment than its run's." }],
  ['pruned-unlawfully', { class: 'wrong', meaning: 'Media were deleted that must be kept.' }],
  ['receipt-refused', { class: 'wrong', meaning: 'A receipt of the archive does not verify.' }],
  ['media-unnamed', { class: 'note', meaning: 'A media file is here that the record does not name.' }],
  [
    'media-unchecked',
    { class: 'open', meaning: 'Only the ledger was given: the media that it names were not checked.' },
  ],
  [
    'tail-lost',
    { class: 'note', meaning: 'A power cut cost the unit lines that had already been delivered; both branches count.' },
  ],
  ['rolled-back', { class: 'wrong', meaning: 'The unit went on from an older state of its card.' }],
  ['equivocation', { class: 'wrong', meaning: 'One unit signed two different histories.' }],
  ['unsigned-alone', { class: 'open', meaning: 'A segment alone proves nothing: its digest is signed in the ledger.' }],
  [
    'part-only',
    { class: 'note', meaning: 'This is a part of a longer record: what came before and after it is not here.' },
  ],
  [
    'clip-unsigned',
    { class: 'wrong', meaning: 'A clip shows something else than the signed segments, in their order.' },
  ],
  [
    'media-foreign',
    {
      class: 'open',
      meaning:
        'A file was not made by this system, or was made anew from something that was: nothing in it is signed.',
    },
  ],
]);

/** What a reader should do next, by class. */
const ADVICE = {
  wrong: 'Ask whoever holds the record for another copy; if that says the same, it is for the court.',
  open: 'Bring what is missing, and verify again.',
  note: 'Nothing to do.',
};

/** The advice that goes with a code. */
export function adviceOn(code) {
  return ADVICE[CODES.get(code).class];
}
