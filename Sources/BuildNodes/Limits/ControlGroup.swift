import Foundation
import Glibc
import SystemPackage

/// A *control group* holds all processes of one build, and limits them together, see cgroups(7).
///
/// Version 1 has a directory for each controller, and version 2 has one directory for all. The group
/// cannot be made if the host has not delegated control groups to this process.
struct ControlGroup: Sendable {
    /// The controllers whose limits a build can have.
    static let controllers = ["pids", "memory", "cpu"]

    private var directories: [FilePath] = []

    /// Returns nil if one of the limits cannot be set.
    init?(named name: String, limits: BuildLimits, host: ControlGroupHost) {
        for setting in Self.settings(of: limits) {
            guard let parent = host.parent(of: setting.controller), add(parent.directory.appending(name)),
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
        return ["sh", "-c", script, "join", "\(directories.count)"] + directories.map { $0.appending("cgroup.procs").string }
    }

    /// Whether the kernel has ended a process because the memory of the group was used up.
    var hasExceededMemory: Bool {
        directories.contains { directory in
            ["memory.events", "memory.oom_control"].contains { file in
                // A version has only one of the files, and a limit that was not set has none.
                let text = (try? String(contentsOfFile: directory.appending(file).string, encoding: .utf8)) ?? ""
                return text.split(separator: "\n").contains { $0.hasPrefix("oom_kill ") && $0 != "oom_kill 0" }
            }
        }
    }

    /// Removes the group. All its processes must have ended.
    func remove() { for directory in directories { rmdir(directory.string) } }

    private mutating func add(_ directory: FilePath) -> Bool {
        if directories.contains(directory) { return true }
        // A group that a killed worker left behind has no process any more, and is made anew.
        rmdir(directory.string)
        guard mkdir(directory.string, 0o755) == 0 else { return false }
        directories.append(directory)
        return true
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
