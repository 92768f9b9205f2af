import Foundation
import Glibc
import Processes
import SystemPackage

/// A *scratch directory* has the files of one rpmdb until it was read.
struct ScratchDirectory: Sendable {
    let path: FilePath

    init(below parent: FilePath) throws(CannotReadContents) {
        var template = Array(parent.appending("odcs-contents-XXXXXX").string.utf8CString)
        guard mkdtemp(&template) != nil else {
            throw CannotReadContents(description: "The directory for the files of an rpmdb cannot be created (\(Errno(rawValue: errno))).")
        }
        path = FilePath(String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }

    /// Gives the directory, with a directory in it and its files, to an account.
    func give(to account: Account, _ directory: FilePath) throws(CannotReadContents) {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory.string)
        } catch {
            throw CannotReadContents(description: "The files of an rpmdb cannot be listed (\(error)).")
        }
        for file in [path, directory] + names.map({ directory.appending($0) }) {
            guard lchown(file.string, account.user, account.group) == 0 else {
                throw CannotReadContents(
                    description: "The files of an rpmdb cannot be given to \(account.name) (\(Errno(rawValue: errno))).")
            }
        }
    }

    func remove() {
        // The directory is empty of secrets, and its parent is emptied when the service starts.
        try? FileManager.default.removeItem(atPath: path.string)
    }
}
