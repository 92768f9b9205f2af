import Glibc
import Synchronization
public import SystemPackage

/// A keytab is a file with the keys of a service. Its credential is acquired anew when the file
/// changes.
public final class Keytab: Sendable {
    public let path: FilePath
    private let replayCache: FilePath?
    private let current = Mutex<(state: FileState, credential: AcceptorCredential)?>(nil)

    /// - Parameters:
    ///   - replayCache: The file that remembers used tickets. `nil` for the file of MIT Kerberos, one for
    ///     each user of the host.
    public init(_ path: FilePath, replayCache: FilePath? = nil) {
        self.path = path
        self.replayCache = replayCache
    }

    /// The error for a keytab that cannot be used.
    public struct Problem: Error, Hashable, CustomStringConvertible {
        /// For example: `/etc/odcs/http.keytab cannot be read: No such file or directory`.
        public let description: String
    }

    /// Checks that the file can be read and has a key of the service `HTTP`.
    public func check() throws(Problem) { _ = try credential() }

    /// Returns the credential for the file as it is now. It reads the file, so it may block.
    func credential() throws(Problem) -> AcceptorCredential {
        let state: FileState
        do { state = try FileState(of: path) } catch { throw Problem(description: "\(path) cannot be read: \(error)") }
        if let current = current.withLock(\.self), current.state == state { return current.credential }
        do {
            let credential = try AcceptorCredential(keytab: path.string, replayCache: replayCache?.string)
            current.withLock { $0 = (state, credential) }
            return credential
        } catch {
            throw Problem(description: "\(path) has no key of the service HTTP that can be used: \(error)")
        }
    }
}

/// The state of a file, as far as it shows that the file has changed.
private struct FileState: Hashable {
    private let device: dev_t
    private let inode: ino_t
    private let size: off_t
    private let seconds: Int
    private let nanoseconds: Int

    /// - Throws: The error of a file that does not exist or cannot be read.
    init(of path: FilePath) throws(Errno) {
        var status = stat()
        guard stat(path.string, &status) == 0, access(path.string, R_OK) == 0 else { throw Errno(rawValue: errno) }
        device = status.st_dev
        inode = status.st_ino
        size = status.st_size
        seconds = status.st_mtim.tv_sec
        nanoseconds = status.st_mtim.tv_nsec
    }
}
