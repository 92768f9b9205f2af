import CLinux
import Foundation
import Glibc
import SystemPackage

/// Places a file of this host in a tree under a second name, as cheaply as the two file systems allow.
/// All functions block.
enum FilePlacement {
    /// Puts `file` at `destination` and returns the method that was used.
    ///
    /// The directory of `destination` is created if it is missing. An existing file is replaced in one
    /// step.
    ///
    /// A file that not every user may read is copied. A hard link would keep its mode, and another web
    /// server could not serve it.
    static func put(_ file: OpenFile, at destination: FilePath) throws(TransferProblem) -> PackageDelivery.Method {
        guard file.isReadableByAll else { return try copy(file, to: destination) }
        switch file.link(to: destination) {
        case nil: return .hardlink
        case .noSuchFileOrDirectory?:
            try TransferProblem.storing { () throws(Errno) in try destination.removingLastComponent().createDirectory() }
            if file.link(to: destination) == nil { return .hardlink }
        case .fileExists?:
            if try isSame(file, as: destination) { return .hardlink }
            let temporary = destination.temporarySibling
            if file.link(to: temporary) == nil {
                try move(temporary, to: destination)
                return .hardlink
            }
        case .some: break
        }
        // Linking fails between two file systems and on a file system without hard links. It also fails for a
        // file that has the most links possible, or that belongs to another user (fs.protected_hardlinks). If
        // there is another cause, copying will report it.
        return try copy(file, to: destination)
    }

    /// Renames the file `temporary` to `destination`. If that fails, `temporary` is removed.
    static func move(_ temporary: FilePath, to destination: FilePath) throws(TransferProblem) {
        guard rename(temporary.string, destination.string) != 0 else { return }
        let error = Errno(rawValue: errno)
        unlink(temporary.string)
        throw .storage(error)
    }

    private static func isSame(_ file: OpenFile, as destination: FilePath) throws(TransferProblem) -> Bool {
        let there = try TransferProblem.storing { () throws(Errno) in try destination.stat(followTargetSymlink: false) }
        return there.rawValue.st_dev == file.status.rawValue.st_dev && there.rawValue.st_ino == file.status.rawValue.st_ino
    }

    private static func copy(_ file: OpenFile, to destination: FilePath) throws(TransferProblem) -> PackageDelivery.Method {
        var method = PackageDelivery.Method.copy
        try TransferProblem.storing { () throws(Errno) in try destination.removingLastComponent().createDirectory() }
        let temporary = destination.temporarySibling
        try RegularFile.create(
            temporary,
            { (target) throws(TransferProblem) in
                try file.read { (source) throws(TransferProblem) in
                    if linux_clone_file(target.rawValue, source.rawValue) == 0 {
                        method = .reflink
                        return
                    }
                    let copied = try RegularFile.copy(source, to: target, count: file.size)
                    // The file was truncated while it was read.
                    guard copied == file.size else { throw .truncated(expected: file.size, found: copied, wasCut: false) }
                }
            }, storage: { .storage($0) })
        try move(temporary, to: destination)
        return method
    }
}

extension FilePath {
    /// A unique name in the same directory, recognizable as a partial file by its suffix `.part`.
    var temporarySibling: FilePath {
        removingLastComponent().appending(".\(UUID().uuidString).part")
    }
}
