import ComposeModel
import Repodata
import SystemPackage

/// Why a file was not transferred, before it is known what the file means to the compose: whoever asked for it makes a ``ComposeFailure`` of it.
enum TransferProblem: Error, Hashable {
    /// The source says that there is no such file.
    case missing
    /// The source has the file but this service may not read it: why.
    case notPermitted(String)
    /// The server answered, and not with the file: its status.
    case refused(status: UInt)
    /// No answer, or none that can be used, however often it was asked: the last reason.
    case unreachable(String)
    /// It took longer than a download may, however often it was asked for.
    case overTime(Duration, at: String)
    /// Fewer bytes came than there should be, however often it was asked. `wasCut`: it was the transfer that ended too early, not the file.
    case truncated(expected: Int, found: Int, wasCut: Bool)
    /// There are more bytes than there should be.
    case larger(expected: Int, found: Int)
    /// There are more bytes than the limits allow.
    case overLimit(Int)
    /// What came has another checksum.
    case checksum(expected: Checksum, found: Checksum)
    /// It could not be written down here.
    case storage(Errno)
    case canceled

    /// What every reader of files answers alike, whatever they are for; `nil` for what the asker has to explain.
    /// - Parameter subject: what was to be read, as the start of a sentence: "The repository X", "The file of the package Y".
    func commonFailure(_ subject: String) -> ComposeFailure? {
        switch self {
        case .unreachable(let reason):
            ComposeFailure(.sourceUnreachable, "\(subject) could not be read: \(reason).", isTransient: true)
        case .overTime:
            ComposeFailure(.limitExceeded, "\(subject) could not be read: \(reason). A mirror that is faster may help.")
        case .storage(let error): .storage(error)
        case .canceled: .canceled
        default: nil
        }
    }

    /// The finding in words that follow "because …" or a colon, without a full stop.
    var reason: String {
        switch self {
        case .missing: "it does not exist"
        case .notPermitted(let why): why
        case .refused(let status): "the server answered with the status \(status)"
        case .unreachable(let reason): reason
        case .overTime(let limit, let origin):
            "\(origin) did not send it within \(limit.inWords), the most that a download of its size may take here "
                + "(sources.download_seconds)"
        case .truncated(let expected, let found, let wasCut):
            wasCut ? "the transfer ended after \(found) of \(expected) bytes" : "it has \(found) bytes instead of \(expected)"
        case .larger(let expected, let found): "it has \(found) bytes instead of \(expected)"
        case .overLimit(let limit): "it has more than \(limit) bytes, the most that this service accepts"
        case .checksum(let expected, let found): "it has the checksum \(found) instead of \(expected)"
        case .storage: "it could not be written down"
        case .canceled: "the work was canceled"
        }
    }
}

extension TransferProblem {
    /// What an error of opening or reading a source's file on this host's disks means.
    init(reading error: Errno) {
        switch error {
        case .noSuchFileOrDirectory, .notDirectory: self = .missing
        case .permissionDenied, .notPermitted: self = .notPermitted("this service has no permission to read it")
        case .ioError, .staleNFSFileHandle, .timedOut, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .resourceTemporarilyUnavailable:
            self = .unreachable("the operating system reported: \(error)")
        default: self = .notPermitted("the operating system reported: \(error)")
        }
    }

    init(_ refusal: ConfinedPath.Refusal) {
        switch refusal {
        case .system(let error): self.init(reading: error)
        case .leadsOut: self = .notPermitted("its path leads out of the directories that this service may read")
        case .notAFile: self = .notPermitted("it is not a regular file")
        }
    }
}

extension ComposeFailure {
    static let canceled = ComposeFailure(.canceled, "The work on the compose was stopped before it was complete.")

    /// A failure to write. A full disk may be cleared, so that is worth another attempt.
    static func storage(_ error: Errno) -> ComposeFailure {
        switch error {
        case .noSpace, .diskQuotaExceeded: storage("This service's disk is full. Its administrators have to make room.")
        default: storage("This service could not write to its disk: \(error). Its administrators have to look into it.")
        }
    }

    static func storage(_ message: String) -> ComposeFailure {
        ComposeFailure(.storage, message, isTransient: true)
    }
}
