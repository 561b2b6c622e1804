"""What the fork server imports first, and no other process: from here on SIGTERM waits.

A supervisor that signals every process would end the server, and multiprocessing takes the children of a server that is
gone for dead while they save what they have done. Children are forked with the signal waiting; a job lets it in as soon
as it can answer it (`competition.training.child.run`). The server ends with the process that made it.
"""

import signal

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
