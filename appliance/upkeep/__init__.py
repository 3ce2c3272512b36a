"""How a unit fares and what is done about it: faults, health of the board, silent cameras, a disk that fills up."""
