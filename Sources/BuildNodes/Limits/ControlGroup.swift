import Foundation
import Glibc
import SystemPackage

/// A *control group* holds all processes of one build, and limits them together, see cgroups(7).
///
/// Version 1 has a directory for each controller, and version 2 has one directory for all. The group
/// cannot be made if the host has not delegated control groups to this process.
///
/// With version 2, the processes are in a group below the one with the limits. runc makes the group of
/// a container beside the group that runc is in. So that group is below the limits, too.
///
/// **Example:** while a RUN runs with version 2, `odcs-…` has the limits:
///
///     odcs-builder.service/odcs-fe00-1a2b3c-…/build            buildah and runc
///     odcs-builder.service/odcs-fe00-1a2b3c-…/buildah-buildah5 the program of RUN
struct ControlGroup: Sendable {
    /// The controllers whose limits a build can have.
    static let controllers = ["pids", "memory", "cpu"]

    /// The directories with the limits.
    private var directories: [FilePath] = []
    /// The directories that the first process of the build enters.
    private var places: [FilePath] = []

    /// Returns nil if one of the limits cannot be set.
    init?(named name: String, limits: BuildLimits, host: ControlGroupHost) {
        for setting in Self.settings(of: limits) {
            guard let parent = host.parent(of: setting.controller), add(parent.directory.appending(name), parent.version),
                setting.apply(in: parent.directory.appending(name), parent.version)
            else {
                remove()
                return nil
            }
        }
    }

    /// The command that puts itself into the group and becomes the following command.
    var entry: [String] {
        let script = #"n=$1; shift; while [ $n -gt 0 ]; do echo 0 >"$1" || exit 126; shift; n=$((n - 1)); done; exec "$@""#
        return ["sh", "-c", script, "join", "\(places.count)"] + places.map { $0.appending("cgroup.procs").string }
    }

    /// Whether the kernel has ended a process because the memory of the group was used up.
    var hasExceededMemory: Bool {
        directories.contains { directory in
            ["memory.events", "memory.oom_control"].contains { file in
                // A version has only one of the files, and a limit that was not set has none.
                Self.lines(of: directory.appending(file)).contains { $0.hasPrefix("oom_kill ") && $0 != "oom_kill 0" }
            }
        }
    }

    /// Whether the group has had as many processes as it may have.
    var hasUsedAllProcesses: Bool {
        directories.contains { directory in
            let most = Self.lines(of: directory.appending("pids.max"))
            // Linux 6.1 and newer have the first file. Before 6.11, refusals in the group of a container are not
            // in the second one.
            return !most.isEmpty && Self.lines(of: directory.appending("pids.peak")) == most
                || Self.lines(of: directory.appending("pids.events")).contains { $0.hasPrefix("max ") && $0 != "max 0" }
        }
    }

    private static func lines(of file: FilePath) -> [Substring] {
        ((try? String(contentsOfFile: file.string, encoding: .utf8)) ?? "").split(separator: "\n")
    }

    /// Removes the group. All its processes must have ended.
    func remove() { for directory in directories { Self.remove(directory) } }

    /// Removes a group and the groups below it. A runc that was killed leaves the group of its container.
    ///
    /// - Returns: Whether the group is gone. It stays while it has a process.
    @discardableResult static func remove(_ directory: FilePath) -> Bool {
        if rmdir(directory.string) == 0 || errno == ENOENT { return true }
        // A group that cannot be listed or removed stays, and the result says so.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.string)) ?? []
        for below in names.map(directory.appending) where isDirectory(below) { remove(below) }
        return rmdir(directory.string) == 0 || errno == ENOENT
    }

    private static func isDirectory(_ path: FilePath) -> Bool {
        var status = stat()
        return lstat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    private mutating func add(_ directory: FilePath, _ version: ControlGroupHost.Version) -> Bool {
        if directories.contains(directory) { return true }
        // A group that a killed worker left behind has no process any more, and is made anew.
        Self.remove(directory)
        guard mkdir(directory.string, 0o755) == 0 else { return false }
        directories.append(directory)
        guard version == .two else {
            places.append(directory)
            return true
        }
        let place = directory.appending("build")
        places.append(place)
        return mkdir(place.string, 0o755) == 0
    }

    private struct Setting {
        let controller: String
        /// The file and value in version 1 and in version 2.
        let one: (file: String, value: String)
        let two: (file: String, value: String)
        /// Whether the kernel may lack the file, as it does without swap.
        var isOptional = false

        func apply(in directory: FilePath, _ version: ControlGroupHost.Version) -> Bool {
            let (file, value) = version == .one ? one : two
            do {
                let descriptor = try FileDescriptor.open(directory.appending(file), .writeOnly)
                try descriptor.closeAfter { _ = try descriptor.writeAll(value.utf8) }
                return true
            } catch {
                // The build then runs without its limits, and its result reports that.
                return isOptional
            }
        }
    }

    private static func settings(of limits: BuildLimits) -> [Setting] {
        var settings = [Setting(controller: "pids", one: ("pids.max", "\(limits.processes)"), two: ("pids.max", "\(limits.processes)"))]
        if let bytes = limits.memoryBytes {
            settings += [
                Setting(controller: "memory", one: ("memory.limit_in_bytes", "\(bytes)"), two: ("memory.max", "\(bytes)")),
                Setting(
                    controller: "memory", one: ("memory.memsw.limit_in_bytes", "\(bytes)"), two: ("memory.swap.max", "0"), isOptional: true),
            ]
        }
        if let processors = limits.processors {
            let quota = Int(processors * 100_000)
            settings.append(Setting(controller: "cpu", one: ("cpu.cfs_quota_us", "\(quota)"), two: ("cpu.max", "\(quota) 100000")))
        }
        return settings
    }
}
