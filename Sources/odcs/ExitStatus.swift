/// What a command tells the shell; `odcs --help` lists the same.
enum ExitStatus: Int32 {
    case success = 0
    /// The compose failed, or its files are removed.
    case composeFailed = 1
    /// The request was refused, the server cannot be reached, or another error.
    case error = 2
    /// argument-parser's status, that of sysexits.h.
    case usage = 64
    /// 128 + SIGINT, as shells count.
    case interrupted = 130
    /// 128 + SIGPIPE: the reader of the output went away.
    case outputClosed = 141
}

/// What ends a command early: the exit status, and one line for people where it is not said already.
struct CommandFailure: Error, Equatable {
    let status: ExitStatus
    let message: String?

    init(_ status: ExitStatus, _ message: String? = nil) {
        self.status = status
        self.message = message
    }
}
