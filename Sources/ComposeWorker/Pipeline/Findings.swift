import ComposeModel
import ContentSources
import Depsolve
import ForeignText
import Repodata

/// What a resolution says to people: findings that are reported, and those that fail the compose.
extension Resolution {
    /// One sentence for each thing that is not as the request would have it.
    ///
    /// - Parameter content: what was resolved from; it knows how the repositories are called.
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
        // The others begin with the name of a package, which keeps its case.
        // A noarch package lacks the same on each architecture.
        let modules = moduleProblems.filter { $0.kind == .unmetRequirements }.map { "\($0)." }
        let lacking = missing.map { "\($0)." }.map { $0.prefix(1).uppercased() + $0.dropFirst() }
        return (modules + lacking + problems.map { "\($0)." }).map { ByteText($0) }.uniqued().map(\.text)
    }

    /// Why the compose must fail, `nil` when it need not: a package that is nowhere; with `check_deps`, anything that cannot be installed.
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

    /// A line for each sentence, and no more of them than somebody reads; the log has them all.
    static func lines(_ start: String? = nil, listing sentences: [String]) -> [String] {
        let rest = sentences.count - listed
        let lines = sentences.prefix(listed) + (rest > 0 ? ["And \(rest) more like these; the log of the compose has them all."] : [])
        return [start].compactMap(\.self) + lines
    }

    private static let listed = 50
}

extension ComposeFailure {
    /// Nothing could be resolved: why, with the repository as the request names it.
    init(_ error: DepsolveError, in content: PackageSet) {
        switch error {
        case .unknownArchitecture:
            self.init(.packageNotFound, error.description)
        case .unusableMetadata(let repository, let document, let reason):
            let place = (content.repositories + content.lookaside).first { $0.metadata.id == repository }?.place
            self.init(
                .metadataCorrupt,
                "The metadata of \(place ?? "the repository \(repository)") cannot be used: in \(document), \(reason). "
                    + "Whoever maintains the repository has to create its metadata again.")
        case .listedButAbsent(let packages, let arch, let listing):
            self.init(
                .metadataCorrupt, "\(error) Whoever maintains \(listing) has to look into it.",
                details: packages.prefix(200).map { .init(package: $0.description, arch: arch) })
        case .moduleNotFound(let module, let nearest, _):
            self.init(.packageNotFound, error.description, details: [.init(package: module, nearest: nearest)])
        case .modulesConflict(_, let arch):
            self.init(
                .brokenDependencies, "\(error) Ask for other streams, or for fewer of them, as modules.", details: [.init(arch: arch)])
        case .unusableModules:
            self.init(.metadataCorrupt, "\(error) Whoever maintains them has to look into it.")
        case .overTime:
            self.init(.limitExceeded, "\(error) Fewer packages, or a repository with fewer conflicts among its packages, may help.")
        case .tooManyExclusions:
            self.init(.limitExceeded, "\(error) A repository with fewer versions of each package may help.")
        case .canceled:
            self.init(.canceled, "The work on the compose was stopped before it was complete.")
        }
    }
}
