import CLinux
import Foundation
import Glibc
import SystemPackage

/// Gives a file of this host a second name in a tree, as cheaply as the two file systems allow. Blocking.
enum FilePlacement {
    /// Puts `file` at `destination`, whose directory is created when it is missing; a file that is there already is replaced in one step.
    ///
    /// A file that not everybody may read is copied: a hard link would keep its mode, and another web server could not serve it.
    static func put(_ file: OpenFile, at destination: FilePath) throws(TransferProblem) -> PackageDelivery.Method {
        guard file.isReadableByAll else { return try copy(file, to: destination) }
        switch file.link(to: destination) {
        case nil: return .hardlink
        case .noSuchFileOrDirectory?:
            do throws(Errno) {
                try destination.removingLastComponent().createDirectory()
            } catch {
                throw .storage(error)
            }
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
        // Another file system, one without hard links, a file with as many as it may have, or one of somebody else
        // (fs.protected_hardlinks). What else it may be, copying will tell.
        return try copy(file, to: destination)
    }

    /// Gives the file `temporary` its name; where that fails, it is removed.
    static func move(_ temporary: FilePath, to destination: FilePath) throws(TransferProblem) {
        guard rename(temporary.string, destination.string) != 0 else { return }
        let error = Errno(rawValue: errno)
        unlink(temporary.string)
        throw .storage(error)
    }

    private static func isSame(_ file: OpenFile, as destination: FilePath) throws(TransferProblem) -> Bool {
        do throws(Errno) {
            let there = try destination.stat(followTargetSymlink: false)
            return there.rawValue.st_dev == file.status.rawValue.st_dev && there.rawValue.st_ino == file.status.rawValue.st_ino
        } catch {
            throw .storage(error)
        }
    }

    private static func copy(_ file: OpenFile, to destination: FilePath) throws(TransferProblem) -> PackageDelivery.Method {
        var method = PackageDelivery.Method.copy
        do throws(Errno) {
            try destination.removingLastComponent().createDirectory()
        } catch {
            throw .storage(error)
        }
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
                    // It was cut off while it was read.
                    guard copied == file.size else { throw .truncated(expected: file.size, found: copied, wasCut: false) }
                }
            }, storage: { .storage($0) })
        try move(temporary, to: destination)
        return method
    }
}

extension FilePath {
    /// A name in the same directory that nobody else has, and that says what it is.
    var temporarySibling: FilePath {
        removingLastComponent().appending(".\(UUID().uuidString).part")
    }
}
