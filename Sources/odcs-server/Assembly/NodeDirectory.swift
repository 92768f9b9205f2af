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

    /// Takes the first free directory, and makes it if it does not exist. In other directories that are
    /// free, it removes what a killed worker has left.
    ///
    /// - Parameter hasNode: Whether the worker builds itself. Only workers that do sweep images, so others
    ///   leave directories with images to them.
    static func claim(below parent: FilePath, hasNode: Bool = true) throws -> NodeDirectory {
        let directory = try claimFirst(below: parent, hasNode: hasNode)
        try removeLeftovers(below: parent)
        return directory
    }

    private static func claimFirst(below parent: FilePath, hasNode: Bool) throws -> NodeDirectory {
        for number in 1...1000 {
            let path = parent.appending("\(number)")
            guard hasNode || !FileManager.default.fileExists(atPath: path.appending("node").string) else { continue }
            for name in ["contexts", "rpmdbs", "transfers"] {
                try FileManager.default.createDirectory(atPath: path.appending(name).string, withIntermediateDirectories: true)
            }
            if let directory = try lock(path) {
                try directory.remove(in: [directory.rpmdbs, directory.transfers])
                return directory
            }
        }
        throw Errno.tooManyOpenFiles
    }

    /// Locks a directory. Returns `nil` if a worker uses it.
    private static func lock(_ path: FilePath) throws -> NodeDirectory? {
        // The kernel releases the lock when the process ends, however that happens.
        let lock = try FileDescriptor.open(
            path.appending("lock"), .readWrite, options: [.create, .closeOnExec, .noFollow], permissions: [.ownerReadWrite])
        if flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 { return NodeDirectory(path: path, lock: lock) }
        let reason = Errno(rawValue: errno)
        try lock.close()
        guard reason == .wouldBlock else { throw reason }
        return nil
    }

    /// Removes what workers have left that were killed and have not come back. The images stay for a worker
    /// that takes the directory.
    private static func removeLeftovers(below parent: FilePath) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: parent.string) where Int(name) != nil {
            // A directory of another account cannot be locked, and its files cannot be removed.
            guard let directory = try? lock(parent.appending(name)) else { continue }
            defer { directory.release() }
            try? directory.remove(in: [directory.contexts, directory.rpmdbs, directory.transfers])
        }
    }

    /// Removes the files that a killed worker was reading, sending or building. Files that it was reading
    /// or sending belong to no attempt, so the sweeper does not find them.
    private func remove(in directories: [FilePath]) throws {
        for directory in directories where FileManager.default.fileExists(atPath: directory.string) {
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
