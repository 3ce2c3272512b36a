"""A deterministic H.264 encoder of a few lines, for test vectors (ITU-T H.264).

IDR pictures are I_PCM macroblocks of one grey each, so the decoded levels are exact; P pictures are
P_Skip throughout, with one I_PCM macroblock if asked. CAVLC, no deblocking, output order is coding
order. Parameter sets come before every IDR picture. Start codes of both lengths occur: 4 bytes
before parameter sets, 3 before slices.
"""

from collections.abc import Sequence

_FRAME_NUM_BITS = 4
_MB = 16
_LEVELS = ((99, 10), (396, 20), (1620, 30), (3600, 31), (8192, 40), (36864, 51))
"""Most macroblocks of a picture, and the level_idc that allows them (table A-1)."""


class _Bits:
    def __init__(self) -> None:
        self._bits: list[str] = []
        self._count = 0

    def u(self, value: int, width: int = 1) -> None:
        self._bits.append(f"{value:0{width}b}")
        self._count += width

    def ue(self, value: int) -> None:
        self.u(value + 1, 2 * (value + 1).bit_length() - 1)

    def se(self, value: int) -> None:
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def align(self) -> None:
        if self._count % 8:
            self.u(0, 8 - self._count % 8)

    def pcm(self, level: int) -> None:
        """An I_PCM macroblock of one luma level and neutral chroma, behind its mb_type."""
        self.align()
        for sample, count in ((level, 256), (128, 128)):
            self.u(int.from_bytes(bytes([sample]) * count, "big"), 8 * count)

    def nal(self, header: int, start: bytes) -> bytes:
        """Finish the RBSP: stop bit, emulation prevention, header and start code."""
        self.u(1)
        self.align()
        text = "".join(self._bits)
        out = bytearray(start + bytes([header]))
        zeros = 0
        for byte in int(text, 2).to_bytes(len(text) // 8, "big"):
            if zeros == 2 and byte <= 3:
                out.append(3)
                zeros = 0
            out.append(byte)
            zeros = zeros + 1 if byte == 0 else 0
        return bytes(out)


_LONG, _SHORT = b"\x00\x00\x00\x01", b"\x00\x00\x01"


class TinyEncoder:
    """Encodes grey pictures of ``width`` x ``height`` pixels (even numbers): High profile, or Constrained Baseline.

    The bytes follow from the arguments and the calls alone.
    """

    def __init__(self, width: int = 32, height: int = 32, *, high: bool = True) -> None:
        if width % 2 or height % 2 or width < 2 or height < 2:
            raise ValueError("width and height must be even")
        self._columns, self._rows = -(-width // _MB), -(-height // _MB)
        self.macroblocks = self._columns * self._rows
        self._frame_num = 0
        self._idr_id = 0
        self._started = False
        self.sps = self._sps(width, height, high).nal(0x67, b"")
        self.pps = self._pps().nal(0x68, b"")

    def idr(self, level: int | Sequence[int] = 128) -> bytes:
        """An IDR access unit: one grey level, or one for each macroblock in raster order."""
        levels = [level] * self.macroblocks if isinstance(level, int) else list(level)
        if len(levels) != self.macroblocks:
            raise ValueError(f"{self.macroblocks} levels needed")
        self._frame_num = 0
        slice_ = self._slice_header(slice_type=7)
        slice_.ue(self._idr_id)
        slice_.u(0b00, 2)  # no_output_of_prior_pics_flag, long_term_reference_flag
        self._end_of_header(slice_)
        for grey in levels:
            slice_.ue(25)  # mb_type I_PCM
            slice_.pcm(grey)
        self._idr_id ^= 1
        self._started = True
        return _LONG + self.sps + _LONG + self.pps + slice_.nal(0x65, _SHORT)

    def p(self, *, macroblock: int | None = None, level: int = 128) -> bytes:
        """A P access unit that repeats the picture before it, with one macroblock changed if asked."""
        if not self._started:
            raise ValueError("the first picture must be an IDR picture")
        self._frame_num = (self._frame_num + 1) % (1 << _FRAME_NUM_BITS)
        slice_ = self._slice_header(slice_type=5)
        slice_.u(0b00, 2)  # num_ref_idx_active_override_flag, ref_pic_list_modification_flag_l0
        slice_.u(0)  # adaptive_ref_pic_marking_mode_flag
        self._end_of_header(slice_)
        if macroblock is None:
            slice_.ue(self.macroblocks)  # mb_skip_run
        else:
            slice_.ue(macroblock)
            slice_.ue(5 + 25)  # mb_type I_PCM in a P slice
            slice_.pcm(level)
            if rest := self.macroblocks - macroblock - 1:
                slice_.ue(rest)
        return slice_.nal(0x41, _SHORT)

    def _slice_header(self, slice_type: int) -> _Bits:
        bits = _Bits()
        bits.ue(0)  # first_mb_in_slice
        bits.ue(slice_type)
        bits.ue(0)  # pic_parameter_set_id
        bits.u(self._frame_num, _FRAME_NUM_BITS)
        return bits

    @staticmethod
    def _end_of_header(bits: _Bits) -> None:
        bits.se(0)  # slice_qp_delta
        bits.ue(1)  # disable_deblocking_filter_idc

    def _sps(self, width: int, height: int, high: bool) -> _Bits:
        bits = _Bits()
        bits.u(100 if high else 66, 8)
        bits.u(0 if high else 0b11000000, 8)  # constraint_set0_flag, constraint_set1_flag
        bits.u(next(idc for most, idc in _LEVELS if self.macroblocks <= most), 8)
        bits.ue(0)  # seq_parameter_set_id
        if high:
            bits.ue(1)  # chroma_format_idc 4:2:0
            bits.ue(0)  # bit_depth_luma_minus8
            bits.ue(0)  # bit_depth_chroma_minus8
            bits.u(0b00, 2)  # no transform bypass, no scaling matrix
        bits.ue(_FRAME_NUM_BITS - 4)
        bits.ue(2)  # pic_order_cnt_type: output order is decoding order
        bits.ue(1)  # max_num_ref_frames
        bits.u(0)  # gaps_in_frame_num_value_allowed_flag
        bits.ue(self._columns - 1)
        bits.ue(self._rows - 1)
        bits.u(0b11, 2)  # frame_mbs_only_flag, direct_8x8_inference_flag
        crop_x, crop_y = (self._columns * _MB - width) // 2, (self._rows * _MB - height) // 2
        bits.u(1 if crop_x or crop_y else 0)
        if crop_x or crop_y:
            for offset in (0, crop_x, 0, crop_y):
                bits.ue(offset)
        bits.u(0)  # vui_parameters_present_flag
        return bits

    @staticmethod
    def _pps() -> _Bits:
        bits = _Bits()
        bits.ue(0)  # pic_parameter_set_id
        bits.ue(0)  # seq_parameter_set_id
        bits.u(0b00, 2)  # CAVLC, no field order in slices
        bits.ue(0)  # one slice group
        bits.ue(0)  # num_ref_idx_l0_default_active_minus1
        bits.ue(0)  # num_ref_idx_l1_default_active_minus1
        bits.u(0b000, 3)  # no weighted prediction
        bits.se(0)  # pic_init_qp_minus26
        bits.se(0)  # pic_init_qs_minus26
        bits.se(0)  # chroma_qp_index_offset
        bits.u(0b100, 3)  # deblocking_filter_control_present_flag; no constrained intra, no redundant pictures
        return bits
