import Foundation
import Repodata
import SystemPackage

/// One file of a repository, found by its href: on this host's disks below an allowed directory, or at an allowed address.
enum SourceFile: Hashable, Sendable {
    /// `unescaped`: where the file lies if the href was escaped as URLs are, which newer createrepo_c does and older ones do not.
    case local(ConfinedPath, unescaped: ConfinedPath?)
    case remote(RepositoryURL)

    /// Resolves `href` of rpm-md.
    /// - Parameter base: `xml:base`, where the metadata sets one: an address or directory in place of the repository's, or a path relative to that.
    init(_ href: String, base: String? = nil, in location: RepositoryLocation, _ access: SourceAccess) throws(TransferProblem) {
        guard !(href + (base ?? "")).unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7F }) else {
            throw .notPermitted("its location in the metadata contains a control character")
        }
        var href = href
        var start = location
        if let base, !base.isEmpty {
            if base.contains("://") || base.hasPrefix("/") {
                do {
                    start = try RepositoryLocation(base)
                } catch {
                    throw .notPermitted("the metadata says that it lies somewhere else, at an address that cannot be used")
                }
            } else {
                href = base + "/" + href
            }
        }
        switch start {
        case .directory(let directory):
            guard let confined = access.confine(directory) else {
                throw .notPermitted("the metadata says that it lies in a directory that this service may not read")
            }
            let unescaped = href.contains("%") ? href.removingPercentEncoding.flatMap { $0.contains("\0") ? nil : confined.appending($0) } : nil
            self = .local(confined.appending(href), unescaped: unescaped)
        case .url(let url):
            do {
                let file = try url.appending(href: href)
                guard access.allows(file) else {
                    throw TransferProblem.notPermitted("the metadata says that it lies at \(file), which is not among the addresses that this service may read")
                }
                self = .remote(file)
            } catch let objection as RepositoryURL.Objection {
                throw .notPermitted("its location in the metadata cannot be used: \(objection.reason)")
            } catch let problem as TransferProblem {
                throw problem
            } catch {
                throw .missing
            }
        }
    }
}

extension ConfinedPath {
    /// Opens the file, or the one at `unescaped` where there is none. Blocking.
    func open(or unescaped: ConfinedPath?) throws(TransferProblem) -> OpenFile {
        do throws(Refusal) {
            return try open()
        } catch {
            guard let unescaped, error == .system(.noSuchFileOrDirectory) else { throw TransferProblem(error) }
            return try unescaped.open(or: nil)
        }
    }
}
