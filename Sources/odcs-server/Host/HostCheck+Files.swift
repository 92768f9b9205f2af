import CLinux
import Foundation
import Glibc
import Koji
import ServiceConfiguration
import SystemPackage

extension HostCheck {
    /// The directories that the service writes, with the configuration key that names each.
    private var written: [(key: String, directory: FilePath)] {
        let targets = configuration.composes.targets.sorted { $0.key < $1.key }
            .map { ("composes.targets.\($0.key).directory", $0.value.directory) }
        let usesState = configuration.database.url == nil || configuration.images.isBuildingHere
        let state = usesState ? [("state_directory", configuration.stateDirectory)] : []
        return state + [("sources.cache_directory", configuration.sources.cacheDirectory)] + targets
    }

    /// Checks whether the service can create and write its directories. The check itself creates nothing.
    func writeAccess() -> [HostFinding] {
        var findings: [HostFinding] = []
        var closed: Set<FilePath> = []
        for (key, directory) in written {
            let existing = directory.nearestExisting
            guard let reason = existing.obstacleToWriting, closed.insert(existing).inserted else { continue }
            let place = existing == directory ? "\(directory)" : "\(directory) cannot be made, because \(existing)"
            findings.append(
                HostFinding(
                    severity: .fatal, problem: "\(place) cannot be written by \(Self.user): \(reason).",
                    remedy: "Give the directory to this user (chown), or let \(key) name another directory."))
        }
        return findings
    }

    /// Checks whether packages of local sources can be hard-linked into the target directories. Otherwise
    /// they are copied, which takes time and space.
    func hardLinks() -> [HostFinding] {
        let roots = configuration.sources.allowedRoots + (configuration.koji?.topdir.map { [$0] } ?? [])
        var findings: [HostFinding] = []
        for (_, target) in configuration.composes.targets.sorted(by: { $0.key < $1.key }) {
            let place = target.directory.nearestExisting
            let (device, mount) = (place.status?.st_dev, place.mount)
            let apart = roots.filter { $0.status != nil && $0.status?.st_dev != device }
            if !apart.isEmpty {
                findings.append(
                    HostFinding(
                        severity: .warning,
                        problem: "Packages from \(Self.listing(apart)) are copied into \(target.directory), not hard-linked: "
                            + "these directories are on different file systems.",
                        remedy: "Put sources and composes on the same file system to save time and space."))
            }
            let elsewhere = mount == nil ? [] : roots.filter { $0.status?.st_dev == device && $0.mount != nil && $0.mount != mount }
            if !elsewhere.isEmpty {
                findings.append(
                    HostFinding(
                        severity: .warning,
                        problem: "Packages from \(Self.listing(elsewhere)) are copied into \(target.directory), not hard-linked: "
                            + "these directories are on one file system, but on different mounts of it, and the kernel links only within a mount.",
                        remedy: "In the sandbox of a systemd unit, each directory of ReadWritePaths=, StateDirectory= and BindPaths= is a "
                            + "mount of its own. Put sources and composes below one directory, and name that in ReadWritePaths=."))
            }
        }
        let foreign = Self.protectsHardLinks ? roots.filter { $0.status.map { $0.st_uid != geteuid() } ?? false } : []
        if !foreign.isEmpty {
            findings.append(
                HostFinding(
                    severity: .warning,
                    problem: "Packages from \(Self.listing(foreign)) are copied, not hard-linked: "
                        + "fs.protected_hardlinks lets \(Self.user) link only files that it owns or may write.",
                    remedy: "Run the service as the owner of the packages, or give it the capability CAP_FOWNER "
                        + "(AmbientCapabilities=CAP_FOWNER in the systemd unit)."))
        }
        return findings
    }

    /// Whether this kernel prevents this process from linking files of other users, see proc(5) and
    /// capabilities(7).
    private static var protectsHardLinks: Bool {
        guard !mayActAsOwner, let setting = FileManager.default.contents(atPath: "/proc/sys/fs/protected_hardlinks") else { return false }
        return setting.first == UInt8(ascii: "1")
    }

    /// Whether the process has the capability CAP_FOWNER. The kernel then treats it as the owner of each
    /// file.
    private static var mayActAsOwner: Bool {
        let capFowner: UInt64 = 1 << 3
        let status = FileManager.default.contents(atPath: "/proc/self/status").map { String(decoding: $0, as: UTF8.self) } ?? ""
        guard let line = status.split(separator: "\n").first(where: { $0.hasPrefix("CapEff:") }),
            let effective = line.split(separator: "\t").last.flatMap({ UInt64($0, radix: 16) })
        else { return geteuid() == 0 }
        return effective & capFowner != 0
    }

    /// The number of directories that one finding names.
    private static let mostNamed = 5

    private static func listing(_ paths: [FilePath]) -> String {
        let named = paths.prefix(mostNamed).map(\.string).joined(separator: ", ")
        return paths.count > mostNamed ? "\(named) and \(paths.count - mostNamed) more" : named
    }

    /// The name and id of the user of this process, for messages.
    static var user: String { "the user \(NSUserName()) (uid \(geteuid()))" }
}

extension FilePath {
    fileprivate var status: CInterop.Stat? { (try? stat())?.rawValue }

    /// The number of the mount that this path is on, see `mnt_id` in proc(5). A bind mount is a mount of
    /// its own on the same file system. `nil` if nothing has this path, or if the kernel does not say.
    fileprivate var mount: Int? {
        let options: FileDescriptor.OpenOptions = [.closeOnExec, .init(rawValue: CInt(LINUX_O_PATH))]
        guard let file = try? FileDescriptor.open(self, .readOnly, options: options) else { return nil }
        // Closing loses no data, because the descriptor only points at the file (`O_PATH`).
        defer { try? file.close() }
        let facts = FileManager.default.contents(atPath: "/proc/self/fdinfo/\(file.rawValue)").map { String(decoding: $0, as: UTF8.self) }
        return facts?.split(separator: "\n").first { $0.hasPrefix("mnt_id:") }?.split(separator: "\t").last.flatMap { Int($0) }
    }

    /// This directory, or the nearest directory above it that exists.
    fileprivate var nearestExisting: FilePath {
        var path = self
        while path.status == nil, path.removeLastComponent(), !path.isEmpty {}
        return path.isEmpty ? "/" : path
    }

    /// The reason why this process cannot create files in this directory, or `nil` if it can.
    fileprivate var obstacleToWriting: Errno? {
        guard let status else { return .noSuchFileOrDirectory }
        guard status.st_mode & S_IFMT == S_IFDIR else { return .notDirectory }
        return faccessat(AT_FDCWD, string, W_OK | X_OK, AT_EACCESS) == 0 ? nil : Errno(rawValue: errno)
    }
}
