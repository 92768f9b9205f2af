/// An exit status of a command. `odcs --help` lists the same values.
enum ExitStatus: Int32 {
    case success = 0
    /// The compose failed, or its files are removed.
    case composeFailed = 1
    /// The request was refused, the server cannot be reached, or another error occurred.
    case error = 2
    /// The command line was not understood. The value is argument-parser's, from sysexits.h.
    case usage = 64
    /// The command was interrupted. The value is 128 + SIGINT, as in shells.
    case interrupted = 130
    /// The reader of the output has closed it. The value is 128 + SIGPIPE.
    case outputClosed = 141
}

/// A command failure ends a command early. It has the exit status, and one line for people unless the
/// problem has been printed already.
struct CommandFailure: Error, Equatable {
    let status: ExitStatus
    let message: String?

    init(_ status: ExitStatus, _ message: String? = nil) {
        self.status = status
        self.message = message
    }
}
