import Foundation
import Glibc
import SystemPackage

/// A file on this host's disks that the metadata of a repository names.
///
/// A repository may name files beside itself, as long as they are below the same allowed directory. The person who asked for the compose need not be
/// allowed to read those files. So a file outside of the repository's own directory is used only if everybody on this host may read it, and if it cannot
/// be used, all that is said is that it does not exist: neither its size, nor its checksum, nor whether it is there.
struct LocalFile: Hashable, Sendable {
    let path: ConfinedPath
    /// Where the file lies if the href was escaped as URLs are, which newer createrepo_c does and older ones do not.
    let unescaped: ConfinedPath?
    /// The repository's own directory.
    let home: ConfinedPath

    /// Opens the file and runs `body`. Blocking.
    func use<Result>(_ body: (OpenFile) throws(TransferProblem) -> Result) throws(TransferProblem) -> Result {
        var directory: AllowedDirectory?
        return try use(in: &directory, body)
    }

    /// As ``use(_:)``, for one of many files.
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

    /// Whether the file is the repository's own. All files of a Koji's tree are, those of its volumes too, whose names no request can choose.
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
    /// Whether the path is that of `directory` or of something in it, by its words alone.
    fileprivate func isWithin(_ directory: ConfinedPath) -> Bool {
        let path = FilePath(relative).lexicallyNormalized()
        guard root == directory.root, path.components.first?.kind != .parentDirectory else { return false }
        let top = FilePath(directory.relative).lexicallyNormalized()
        return path.components.starts(with: top.components.filter { $0.kind != .currentDirectory })
    }
}

extension OpenFile {
    /// Whether the file itself lies in `directory`, whatever links have led to it.
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
    /// The problem as it is told of a file that is nobody's business.
    fileprivate var untold: TransferProblem {
        switch self {
        case .storage, .canceled, .unreachable: self
        // That a path leads out is known without a look at its end.
        case TransferProblem(ConfinedPath.Refusal.leadsOut): self
        default: .missing
        }
    }
}
