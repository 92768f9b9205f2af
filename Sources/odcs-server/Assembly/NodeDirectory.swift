import Foundation
import Glibc
import ImageWorker
import SystemPackage

/// A *node directory* is the directory of one worker's builds, `images/N` in the state directory. No
/// other process uses it while this value is held.
///
/// A worker that starts again takes a directory that is free, with the base images that are in it.
struct NodeDirectory: Sendable {
    let path: FilePath
    private let lock: FileDescriptor

    /// The images and working containers.
    var node: FilePath { path.appending("node") }
    /// The contexts of running builds.
    var contexts: FilePath { path.appending("contexts") }
    /// The reason why the node is disabled, if it is.
    var disabled: FilePath { path.appending(NodeStanding.fileName) }
    /// Files of rpmdbs while the contents of images are read.
    var rpmdbs: FilePath { path.appending("rpmdbs") }
    /// Contexts and images on their way to and from the nodes of farms.
    var transfers: FilePath { path.appending("transfers") }

    /// Takes the first free directory, and makes it if it does not exist.
    static func claim(below parent: FilePath) throws -> NodeDirectory {
        for number in 1...1000 {
            let path = parent.appending("\(number)")
            for name in ["contexts", "rpmdbs", "transfers"] {
                try FileManager.default.createDirectory(atPath: path.appending(name).string, withIntermediateDirectories: true)
            }
            // The kernel releases the lock when the process ends, however that happens.
            let lock = try FileDescriptor.open(
                path.appending("lock"), .readWrite, options: [.create, .closeOnExec, .noFollow], permissions: [.ownerReadWrite])
            if flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 {
                let directory = NodeDirectory(path: path, lock: lock)
                try directory.removeLeftovers()
                return directory
            }
            let reason = Errno(rawValue: errno)
            try lock.close()
            guard reason == .wouldBlock else { throw reason }
        }
        throw Errno.tooManyOpenFiles
    }

    /// Removes what a killed worker was reading or sending. It belongs to no attempt, so the sweeper does
    /// not find it.
    private func removeLeftovers() throws {
        for directory in [rpmdbs, transfers] {
            for name in try FileManager.default.contentsOfDirectory(atPath: directory.string) {
                try FileManager.default.removeItem(atPath: directory.appending(name).string)
            }
        }
    }

    func release() {
        // The descriptor is valid, and nothing can be done about a failure to close it.
        try? lock.close()
    }
}
