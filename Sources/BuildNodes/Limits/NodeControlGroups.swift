import Foundation
import Glibc
import SystemPackage

/// The *control groups of a node* have the node's directory in their names. A killed worker leaves its
/// groups behind, without a process. The next worker of the same node removes them, and never takes the
/// groups of another node for its own.
struct NodeControlGroups: Sendable {
    private let host: ControlGroupHost
    /// For example `odcs-fe00-1a2b3c-`, with the device and the number of the directory.
    private let prefix: String

    init(of directory: FilePath, host: ControlGroupHost = ControlGroupHost()) throws(Errno) {
        var status = stat()
        guard stat(directory.string, &status) == 0 else { throw Errno(rawValue: errno) }
        self.host = host
        prefix = "odcs-\(String(status.st_dev, radix: 16))-\(String(status.st_ino, radix: 16))-"
    }

    /// Makes the group of a build. Returns nil if one of the limits cannot be set.
    func group(of build: String, limits: BuildLimits) -> ControlGroup? {
        ControlGroup(named: prefix + build, limits: limits, host: host)
    }

    /// The builds that have a group.
    var builds: Set<String> {
        Set(parents.flatMap(names).filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) })
    }

    /// Removes the group of a build, with the groups that runc has left below it.
    ///
    /// - Returns: Whether nothing of it is left. A group stays while it has a process.
    func remove(_ build: String) -> Bool {
        parents.allSatisfy { ControlGroup.remove($0.appending(prefix + build)) }
    }

    private var parents: Set<FilePath> { Set(ControlGroup.controllers.flatMap(host.candidates)) }

    private func names(in directory: FilePath) -> [String] {
        // A directory that cannot be listed has no group of this node, because the node could not make one
        // there either.
        (try? FileManager.default.contentsOfDirectory(atPath: directory.string)) ?? []
    }
}
