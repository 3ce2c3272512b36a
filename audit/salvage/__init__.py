"""Gets out of a damaged card all that verifies, and says what does not. Reads its sources, writes to a new folder.

The file system on a card is never mounted and never trusted. Whatever its damaged tables, or whoever wrote them, say:
a line is kept where its signature checks, a media file where a kept line names its SHA-256. So nothing here can bring
up anything false; a wrong guess only finds less.
"""
