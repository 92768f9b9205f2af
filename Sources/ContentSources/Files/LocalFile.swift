import Foundation
import Glibc
import SystemPackage

/// A file on this host's disks that the metadata of a repository names.
///
/// A repository may name files outside its own directory, as long as they are below the same allowed
/// directory. The user who requested the compose may not be permitted to read those files. So a file
/// outside the repository's directory is used only if every user of this host may read it. If it cannot
/// be used, it is reported as missing. The report reveals neither its size, nor its checksum, nor
/// whether it exists.
struct LocalFile: Hashable, Sendable {
    let path: ConfinedPath
    /// The path of the file if the href is escaped like a URL. Newer versions of createrepo_c escape hrefs,
    /// older ones do not.
    let unescaped: ConfinedPath?
    /// The repository's own directory.
    let home: ConfinedPath

    /// Opens the file and runs `body`. Blocking.
    func use<Result>(_ body: (OpenFile) throws(TransferProblem) -> Result) throws(TransferProblem) -> Result {
        var directory: AllowedDirectory?
        return try use(in: &directory, body)
    }

    /// Opens the file and runs `body`, like ``use(_:)``, as one of many files.
    ///
    /// - Parameter directory: See ``ConfinedPath/open(in:)``.
    func use<Result>(
        in directory: inout AllowedDirectory?, _ body: (OpenFile) throws(TransferProblem) -> Result
    ) throws(TransferProblem) -> Result {
        let file: OpenFile
        do throws(TransferProblem) {
            file = try open(in: &directory)
        } catch {
            throw home.hasVolumes || path.isWithin(home) ? error : error.untold
        }
        guard file.isReadableByAll || isOwn(file) else { throw .missing }
        do throws(TransferProblem) {
            return try body(file)
        } catch {
            throw isOwn(file) ? error : error.untold
        }
    }

    /// Whether the file is the repository's own.
    ///
    /// All files of a Koji tree are, including those of its volumes. A request cannot choose their names.
    private func isOwn(_ file: OpenFile) -> Bool { home.hasVolumes || file.isWithin(home) }

    private func open(in directory: inout AllowedDirectory?) throws(TransferProblem) -> OpenFile {
        do throws(ConfinedPath.Refusal) {
            do throws(ConfinedPath.Refusal) {
                return try path.open(in: &directory)
            } catch {
                guard let unescaped, error == .system(.noSuchFileOrDirectory) else { throw error }
                return try unescaped.open(in: &directory)
            }
        } catch {
            throw TransferProblem(error)
        }
    }
}

extension ConfinedPath {
    /// Returns whether the path is `directory` or a path in it, by comparing the text alone.
    fileprivate func isWithin(_ directory: ConfinedPath) -> Bool {
        let path = FilePath(relative).lexicallyNormalized()
        guard root == directory.root, path.components.first?.kind != .parentDirectory else { return false }
        let top = FilePath(directory.relative).lexicallyNormalized()
        return path.components.starts(with: top.components.filter { $0.kind != .currentDirectory })
    }
}

extension OpenFile {
    /// Returns whether the file itself lies in `directory`, after all symbolic links are resolved.
    fileprivate func isWithin(_ directory: ConfinedPath) -> Bool {
        guard let file = realpath(path, nil), let top = realpath(directory.root.appending(directory.relative).string, nil) else {
            return false
        }
        defer {
            free(file)
            free(top)
        }
        return FilePath(platformString: file).starts(with: FilePath(platformString: top))
    }
}

extension TransferProblem {
    /// The problem as it is reported for a file that the user may not know about.
    ///
    /// Most problems become ``missing``. Errors of this host's disks, cancellation and paths that lead out
    /// of the allowed directory stay.
    fileprivate var untold: TransferProblem {
        switch self {
        case .storage, .canceled, .unreachable: self
        // A path that leads out is recognized before its end is looked at, so this reveals nothing.
        case TransferProblem(ConfinedPath.Refusal.leadsOut): self
        default: .missing
        }
    }
}
