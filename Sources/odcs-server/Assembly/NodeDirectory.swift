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
    /// Workers that start at the same time take turns. So none takes a directory for used that another one
    /// looks through. Files are only moved in a turn, and removed after it.
    ///
    /// - Parameter hasNode: Whether the worker builds itself. Only workers that do sweep images, so others
    ///   leave directories with images to them.
    static func claim(below parent: FilePath, hasNode: Bool = true) throws -> NodeDirectory {
        try FileManager.default.createDirectory(atPath: parent.string, withIntermediateDirectories: true)
        let turn = try FileDescriptor.open(
            parent.appending("lock"), .readWrite, options: [.create, .closeOnExec, .noFollow], permissions: [.ownerReadWrite])
        let (directory, moved) = try turn.closeAfter {
            defer { flock(turn.rawValue, LOCK_UN) }
            while flock(turn.rawValue, LOCK_EX) != 0 {
                guard errno == EINTR else { throw Errno(rawValue: errno) }
            }
            let directory = try claimFirst(below: parent, hasNode: hasNode)
            try moveLeftovers(below: parent)
            return (directory, try takeMoved(below: parent))
        }
        // A worker that is killed here, or cannot remove them, leaves them to the next one.
        for path in moved { try? FileManager.default.removeItem(atPath: path.string) }
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
                try directory.move([directory.rpmdbs, directory.transfers])
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

    /// Moves away what workers have left that were killed and have not come back. The images stay for a
    /// worker that takes the directory.
    private static func moveLeftovers(below parent: FilePath) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: parent.string) where Int(name) != nil {
            // A directory of another account cannot be locked, and its files cannot be removed.
            guard let directory = try? lock(parent.appending(name)) else { continue }
            defer { directory.release() }
            // Files that cannot be moved stay. They must not keep a worker from its start.
            try? directory.move([directory.contexts, directory.rpmdbs, directory.transfers])
        }
    }

    /// The beginning of the names of directories with files that were moved away.
    private static let moved = "removed-"

    /// Moves away the files that a killed worker was reading, sending or building. Files that it was
    /// reading or sending belong to no attempt, so the sweeper does not find them.
    private func move(_ directories: [FilePath]) throws {
        for directory in directories where FileManager.default.fileExists(atPath: directory.string) {
            let names = try FileManager.default.contentsOfDirectory(atPath: directory.string)
            guard !names.isEmpty else { continue }
            let target = path.removingLastComponent().appending(Self.moved + UUID().uuidString)
            try FileManager.default.createDirectory(atPath: target.string, withIntermediateDirectories: false)
            for name in names {
                try FileManager.default.moveItem(atPath: directory.appending(name).string, toPath: target.appending(name).string)
            }
        }
    }

    /// Gives the directories with files that were moved away names that no other worker knows, also those
    /// of a worker that was killed meanwhile. A worker that still removes one does not go on with it.
    private static func takeMoved(below parent: FilePath) throws -> [FilePath] {
        try FileManager.default.contentsOfDirectory(atPath: parent.string).filter { $0.hasPrefix(moved) }.compactMap { name in
            let path = parent.appending(moved + UUID().uuidString)
            // Another worker may just have removed it.
            return rename(parent.appending(name).string, path.string) == 0 ? path : nil
        }
    }

    func release() {
        // A program that is just being started has a copy of the descriptor, so closing is not enough.
        flock(lock.rawValue, LOCK_UN)
        // The descriptor is valid, and nothing can be done about a failure to close it.
        try? lock.close()
    }
}
