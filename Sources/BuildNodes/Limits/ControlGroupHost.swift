import Foundation
import Glibc
import SystemPackage

/// The control groups of this host, and the place of this process among them.
struct ControlGroupHost: Sendable {
    enum Version: Hashable, Sendable { case one, two }

    private let memberships: String
    private let mounts: String

    /// A kernel without control groups has no such files. Builds then run without limits, and their
    /// results report that.
    ///
    /// - Parameters:
    ///   - memberships: The text of `/proc/self/cgroup`.
    ///   - mounts: The text of `/proc/self/mounts`.
    init(
        memberships: String = (try? String(contentsOfFile: "/proc/self/cgroup", encoding: .utf8)) ?? "",
        mounts: String = (try? String(contentsOfFile: "/proc/self/mounts", encoding: .utf8)) ?? ""
    ) {
        self.memberships = memberships
        self.mounts = mounts
    }

    /// Returns the directory below which a group with this controller can be made, or nil.
    func parent(of controller: String) -> (directory: FilePath, version: Version)? {
        if let directory = directoryOfVersionOne(controller) { return (directory, .one) }
        return directoriesOfVersionTwo.first { enable(controller, below: $0) }.map { ($0, .two) }
    }

    /// Returns the directories below which a group with this controller may have been made.
    func candidates(for controller: String) -> [FilePath] {
        directoryOfVersionOne(controller).map { [$0] } ?? directoriesOfVersionTwo
    }

    private func directoryOfVersionOne(_ controller: String) -> FilePath? {
        guard let path = membership(where: { $0.contains(Substring(controller)) }),
            let mount = mount("cgroup", where: { $0.contains(Substring(controller)) })
        else { return nil }
        return directory(path, below: mount)
    }

    private var directoriesOfVersionTwo: [FilePath] {
        guard let path = membership(where: { $0 == [""] }), let mount = mount("cgroup2", where: { _ in true }) else { return [] }
        let own = directory(path, below: mount)
        // Below a group with processes no controller can be enabled. A service with `DelegateSubgroup=` is in
        // a group below its own. The root group is exempt.
        let above = own.removingLastComponent()
        return [own] + ([".service", ".scope"].contains(where: above.string.hasSuffix) ? [above] : [])
    }

    private func membership(where isWanted: ([Substring]) -> Bool) -> String? {
        for line in memberships.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            if parts.count == 3, isWanted(parts[1].split(separator: ",", omittingEmptySubsequences: false)) { return String(parts[2]) }
        }
        return nil
    }

    private func mount(_ type: String, where isWanted: ([Substring]) -> Bool) -> FilePath? {
        for line in mounts.split(separator: "\n") {
            let parts = line.split(separator: " ")
            if parts.count >= 4, parts[2] == type, isWanted(parts[3].split(separator: ",")) { return FilePath(String(parts[1])) }
        }
        return nil
    }

    /// In a container the mount shows a part of the groups, and the path may lead outside of it.
    private func directory(_ path: String, below mount: FilePath) -> FilePath {
        let directory = mount.appending(FilePath(path).components)
        return access(directory.string, F_OK) == 0 ? directory : mount
    }

    private func enable(_ controller: String, below directory: FilePath) -> Bool {
        // No process can enter a group below one with processes. The kernel refuses a controller such as memory
        // there, but not pids and cpu. Only the root of all groups is exempt, which has no type.
        guard access(directory.appending("cgroup.type").string, F_OK) != 0 || vacate(directory) else { return false }
        let file = directory.appending("cgroup.subtree_control")
        // Without the file, the write below fails and says the same.
        if let text = try? String(contentsOfFile: file.string, encoding: .utf8),
            text.split(whereSeparator: \.isWhitespace).contains(Substring(controller))
        {
            return access(directory.string, W_OK) == 0
        }
        do {
            try Self.write("+\(controller)", to: file)
            return true
        } catch {
            // The host has not delegated this controller.
            return false
        }
    }

    /// Moves the processes of a group into a new group below it. Only a group without processes can
    /// enable a controller for others. systemd does this itself for a service with `DelegateSubgroup=`,
    /// from version 254 on.
    ///
    /// Only a group that the host has delegated to the user of this process is changed. Such a group
    /// belongs to the user, and the group above it does not.
    ///
    /// - Returns: Whether the group has no processes now.
    private func vacate(_ directory: FilePath) -> Bool {
        if Self.processes(of: directory)?.isEmpty == true { return true }
        guard geteuid() != 0, Self.owner(of: directory) == geteuid(), Self.owner(of: directory.removingLastComponent()) != geteuid()
        else { return false }
        let below = directory.appending("service")
        guard mkdir(below.string, 0o755) == 0 || errno == EEXIST else { return false }
        // A process that was not moved yet can start others meanwhile.
        for _ in 0..<Self.mostRounds {
            guard let processes = Self.processes(of: directory) else { return false }
            if processes.isEmpty { return true }
            for process in processes {
                // A process that has ended meanwhile cannot be moved. Others are in the list of the next round.
                try? Self.write(String(process), to: below.appending("cgroup.procs"))
            }
        }
        return false
    }

    /// Returns the numbers of the processes of a group. Returns `nil` if the kernel does not list them, as
    /// for a group of threads. No group can be made below such a group.
    private static func processes(of directory: FilePath) -> [Substring]? {
        guard let text = try? String(contentsOfFile: directory.appending("cgroup.procs").string, encoding: .utf8) else { return nil }
        return text.split(separator: "\n")
    }

    /// The number of times that the processes of a group are listed and moved.
    private static let mostRounds = 20

    private static func owner(of directory: FilePath) -> uid_t? {
        var status = stat()
        return stat(directory.string, &status) == 0 ? status.st_uid : nil
    }

    private static func write(_ text: String, to file: FilePath) throws {
        let descriptor = try FileDescriptor.open(file, .writeOnly)
        try descriptor.closeAfter { _ = try descriptor.writeAll(text.utf8) }
    }
}
