"""From a camera to encoded pictures: sources, masks, overlay, encoder, and the bridge out of their threads."""
