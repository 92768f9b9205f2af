import ComposeModel
import ContentSources
import Depsolve
import ForeignText
import Repodata

/// The messages of a resolution for people: findings that are reported, and findings that fail the
/// compose.
extension Resolution {
    /// Returns one sentence for each point in which the resolution differs from the request.
    ///
    /// - Parameter content: The packages that were resolved. It has the names of the repositories.
    func findings(in content: PackageSet) -> [String] {
        let notes = moduleProblems.filter { $0.kind != .unmetRequirements }
        let leftOut = unnameable.map { "\($0)." }.map { $0.prefix(1).uppercased() + $0.dropFirst() }
        let unusable = unusable.map { entries in
            let place = content.repositories.first { $0.metadata.id == entries.repository }?.place ?? "a repository"
            return "Of \(place), \(entries)."
        }
        return absent.map { "\($0)." } + leftOut + unusable + overruled.map { "\($0)." } + notes.map { "\($0)." }.uniqued() + broken
    }

    /// One sentence for each thing that could not be installed.
    private var broken: [String] {
        // Sentences about modules and problems begin with the name of a module or package, which keeps its
        // case. A noarch package lacks the same requirement on each architecture, so equal sentences are
        // merged.
        let modules = moduleProblems.filter { $0.kind == .unmetRequirements }.map { "\($0)." }
        let lacking = missing.map { "\($0)." }.map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return (modules + lacking + problems.map { "\($0)." }).map { ByteText($0) }.uniqued().map(\.text)
    }

    /// Returns the failure of the compose, or `nil` if it need not fail. It fails if a requested package is
    /// in no tree. With `check_deps`, it also fails if anything cannot be installed.
    func failure(of request: ComposeRequest) -> ComposeFailure? {
        let nowhere = absent.filter(\.isNowhere)
        if !nowhere.isEmpty {
            return ComposeFailure(
                .packageNotFound, lines: Self.lines(listing: nowhere.map { "\($0)." }),
                details: nowhere.flatMap { absent in
                    absent.arches.map { .init(package: absent.pattern, arch: $0, nearest: absent.nearest) }
                })
        }
        guard request.flags.contains(.checkDeps), !broken.isEmpty else { return nil }
        return ComposeFailure(
            .brokenDependencies,
            lines: Self.lines("Not everything in this compose can be installed, and check_deps is set:", listing: broken),
            details: missing.map {
                .init(package: $0.package.description, arch: $0.arch, requirement: $0.requirement, nearest: $0.nearest)
            } + problems.map { .init(package: $0.package.description, arch: $0.arch, text: $0.description) }
                + moduleProblems.filter { $0.kind == .unmetRequirements }.map {
                    .init(package: $0.module, arch: $0.arch, text: $0.description)
                })
    }

    /// Returns a line for each sentence, but not more lines than a person reads. The log has all of them.
    static func lines(_ start: String? = nil, listing sentences: [String]) -> [String] {
        let rest = sentences.count - listed
        let lines = sentences.prefix(listed) + (rest > 0 ? ["And \(rest) more like these; the log of the compose has them all."] : [])
        return [start].compactMap(\.self) + lines
    }

    private static let listed = 50
}

extension ComposeFailure {
    /// Creates the failure of a compose that could not be resolved. It names the repository as the request
    /// does.
    init(_ error: DepsolveError, in content: PackageSet) {
        switch error {
        case .unknownArchitecture:
            self.init(.packageNotFound, error.description)
        case .unusableMetadata(let repository, let document, let reason):
            let place = (content.repositories + content.lookaside).first { $0.metadata.id == repository }?.place
            self.init(
                .metadataCorrupt,
                "The metadata of \(place ?? "the repository \(repository)") cannot be used: in \(document), \(reason). "
                    + "The maintainer of the repository has to create its metadata again.")
        case .listedButAbsent(let packages, let arch, let listing):
            self.init(
                .metadataCorrupt, "\(error) The maintainer of \(listing) has to look into it.",
                details: packages.prefix(200).map { .init(package: $0.description, arch: arch) })
        case .moduleNotFound(let module, let nearest, _):
            self.init(.packageNotFound, error.description, details: [.init(package: module, nearest: nearest)])
        case .modulesConflict(_, let arch):
            self.init(
                .brokenDependencies, "\(error) Ask for other streams, or for fewer of them, as modules.", details: [.init(arch: arch)])
        case .unusableModules:
            self.init(.metadataCorrupt, "\(error) Their maintainer has to look into it.")
        case .overTime:
            self.init(.limitExceeded, "\(error) Fewer packages, or a repository with fewer conflicts among its packages, may help.")
        case .tooManyExclusions:
            self.init(.limitExceeded, "\(error) A repository with fewer versions of each package may help.")
        case .canceled:
            self = .canceled
        }
    }
}
