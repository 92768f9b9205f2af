import Foundation
import Repodata
import SystemPackage

/// One file of a repository: on this host's disks below an allowed directory, or at an allowed address.
enum SourceFile: Hashable, Sendable {
    /// `unescaped`: where the file lies if the href was escaped as URLs are, which newer createrepo_c does and older ones do not.
    case local(ConfinedPath, unescaped: ConfinedPath?)
    case remote(RepositoryURL)
}

/// Where the hrefs of one repository start, so that its files are found by them.
enum SourceTree: Sendable {
    case directory(ConfinedPath, SourceAccess)
    case address(RepositoryURL, SourceAccess)

    /// Throws `.notPermitted` for a directory that may not be read; addresses are judged file by file, since an href may lead elsewhere.
    init(_ location: RepositoryLocation, _ access: SourceAccess) throws(TransferProblem) {
        switch location {
        case .directory(let directory):
            guard let confined = access.confine(directory) else {
                throw .notPermitted("the metadata says that it lies in a directory that this service may not read")
            }
            self = .directory(confined, access)
        case .url(let url):
            self = access.confine(url).map { .directory($0, access) } ?? .address(url, access)
        }
    }

    /// Resolves `href` of rpm-md.
    /// - Parameter base: `xml:base`, where the metadata sets one: an address or directory in place of the repository's, or a path relative to that.
    func file(_ href: String, base: String? = nil) throws(TransferProblem) -> SourceFile {
        guard !Self.hasControlCharacter(href), !Self.hasControlCharacter(base ?? "") else {
            throw .notPermitted("its location in the metadata contains a control character")
        }
        guard let base, !base.isEmpty else { return try file(at: href) }
        guard base.contains("://") || base.hasPrefix("/") else { return try file(at: base + "/" + href) }
        let elsewhere: RepositoryLocation
        do {
            elsewhere = try RepositoryLocation(base)
        } catch {
            throw .notPermitted("the metadata says that it lies somewhere else, at an address that cannot be used")
        }
        if case .url(let url) = elsewhere, let directory = access.referredPackages(url) {
            return try SourceTree.directory(directory, access).file(at: href)
        }
        return try SourceTree(elsewhere, access).file(at: href)
    }

    private var access: SourceAccess {
        switch self {
        case .directory(_, let access), .address(_, let access): access
        }
    }

    private func file(at href: String) throws(TransferProblem) -> SourceFile {
        switch self {
        case .directory(let directory, _):
            let unescaped = href.utf8.contains(UInt8(ascii: "%")) ? href.removingPercentEncoding : nil
            return .local(
                directory.appending(href),
                unescaped: unescaped.flatMap { Self.hasControlCharacter($0) ? nil : directory.appending($0) })
        case .address(let url, let access):
            let file: RepositoryURL
            do {
                file = try url.appending(href: href)
            } catch {
                throw .notPermitted("its location in the metadata cannot be used: \(error.reason)")
            }
            guard access.allowsFile(file) else {
                throw .notPermitted(
                    "the metadata says that it lies at \(file), which is not among the addresses that this service may read")
            }
            return .remote(file)
        }
    }

    private static func hasControlCharacter(_ text: String) -> Bool {
        text.utf8.contains { $0 < 0x20 || $0 == 0x7F }
    }
}

extension ConfinedPath {
    /// Opens the file, or the one at `unescaped` where there is none. Blocking.
    func open(or unescaped: ConfinedPath?) throws(TransferProblem) -> OpenFile {
        var directory: AllowedDirectory?
        return try open(or: unescaped, in: &directory)
    }

    /// As ``open(or:)``, for one of many files; see ``open(in:)``.
    func open(or unescaped: ConfinedPath?, in directory: inout AllowedDirectory?) throws(TransferProblem) -> OpenFile {
        do throws(Refusal) {
            return try open(in: &directory)
        } catch {
            guard let unescaped, error == .system(.noSuchFileOrDirectory) else { throw TransferProblem(error) }
            return try unescaped.open(or: nil, in: &directory)
        }
    }
}
