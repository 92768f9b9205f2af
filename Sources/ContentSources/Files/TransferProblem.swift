import ComposeModel
import Compression
import Retries
import SystemPackage

/// The reason why a file was not transferred.
///
/// It does not depend on the meaning of the file for the compose. The caller turns it into a
/// ``ComposeFailure``.
enum TransferProblem: Error, Hashable {
    /// The source reports that there is no such file.
    case missing
    /// The source has the file, but this service may not read it for the given reason.
    case notPermitted(String)
    /// The server did not send the file, but answered with the given status.
    case refused(status: UInt)
    /// No attempt led to a usable answer. The values are the reason of the last attempt, and the pause that
    /// the server asked for.
    case unreachable(String, retryAfter: Duration? = nil)
    /// The download took longer than it may take, all attempts together.
    case overTime(Duration, at: String)
    /// Fewer bytes than expected arrived in every attempt.
    ///
    /// If `wasCut` is `true`, the transfer ended too early. Otherwise the file itself is too short.
    case truncated(expected: Int, found: Int, wasCut: Bool)
    /// There are more bytes than expected.
    case larger(expected: Int, found: Int)
    /// There are more bytes than the limits allow.
    case overLimit(Int)
    /// The transferred file has another checksum.
    case checksum(expected: Checksum, found: Checksum)
    /// The file could not be written on this host.
    case storage(Errno)
    case canceled

    /// Returns the failure for a problem that has the same explanation for every kind of file. Returns
    /// `nil` if the caller has to explain it.
    /// - Parameter subject: The file or repository, as the start of a sentence. Examples: "The repository
    ///   X", "The file of the package Y".
    func commonFailure(_ subject: String) -> ComposeFailure? {
        switch self {
        case .unreachable(let reason, _):
            ComposeFailure(.sourceUnreachable, "\(subject) could not be read: \(reason).", isTransient: true)
        case .overTime:
            ComposeFailure(.limitExceeded, "\(subject) could not be read: \(reason). A mirror that is faster may help.")
        case .storage(let error): .storage(error)
        case .canceled: .canceled
        default: nil
        }
    }

    /// The reason in words that follow "because …" or a colon, without a full stop. Example: "it does not
    /// exist".
    var reason: String {
        switch self {
        case .missing: "it does not exist"
        case .notPermitted(let why): why
        case .refused(let status): "the server answered with the status \(status)"
        case .unreachable(let reason, _): reason
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
    /// Creates the problem for an error of opening or reading a source's file on this host's disks.
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
