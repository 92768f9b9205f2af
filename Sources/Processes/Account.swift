public import Glibc
public import SystemPackage

/// An *account* is a user of this host. This process can start programs under another account if it
/// runs as root. Example: PostgreSQL refuses to run as root and runs as `postgres`.
public struct Account: Hashable, Sendable {
    public let name: String
    public let user: uid_t
    public let group: gid_t
    public let home: FilePath

    /// The account that this process runs as. Nil if the host has no account of its number.
    public static var current: Account? {
        lookUp { record, text, size, found in getpwuid_r(geteuid(), record, text, size, found) }
    }

    /// Returns nil if the host has no account of this name.
    public init?(named name: String) {
        guard let account = Self.lookUp({ record, text, size, found in getpwnam_r(name, record, text, size, found) }) else { return nil }
        self = account
    }

    private init(_ record: passwd) {
        name = String(cString: record.pw_name)
        user = record.pw_uid
        group = record.pw_gid
        home = FilePath(String(cString: record.pw_dir))
    }

    private typealias LookUp = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> CInt

    private static func lookUp(_ function: LookUp) -> Account? {
        var record = passwd()
        var found: UnsafeMutablePointer<passwd>?
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 16_384) { text in
            guard function(&record, text.baseAddress!, text.count, &found) == 0, found != nil else { return nil }
            return Account(record)
        }
    }

    /// Returns the arguments for setpriv(1) to run a program as this account.
    public func prefix(for program: FilePath) -> [String] { prefix + [program.string] }

    /// The arguments for setpriv(1) that come before the program.
    public var prefix: [String] { ["--reuid=\(user)", "--regid=\(group)", "--clear-groups", "--"] }

    /// Returns the outermost directory above `path` that the account cannot enter, or `nil` when it can
    /// enter all of them. The directories must exist.
    public func obstacle(above path: FilePath) -> FilePath? {
        guard let resolved = realpath(path.removingLastComponent().string, nil) else { return nil }
        defer { free(resolved) }
        var directory = FilePath("/")
        for component in [nil] + FilePath(platformString: resolved).components.map(Optional.some) {
            if let component { directory.append(component) }
            var status = stat()
            guard stat(directory.string, &status) == 0, canEnter(status) else { return directory }
        }
        return nil
    }

    /// Whether the account may enter a directory with this status.
    public func canEnter(_ status: stat) -> Bool {
        let bit: mode_t = status.st_uid == user ? 0o100 : status.st_gid == group ? 0o010 : 0o001
        return status.st_mode & bit != 0
    }
}
