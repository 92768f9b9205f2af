import ComposeModel
import Compression
import ContentSources
import Depsolve
import ForeignText
import ImageModel
import Repodata

/// The verdicts about packages that a compose does not have: one for each cause.
///
/// Example: a repository has `ed-1.19-1` and `ed-1.20-3`, and the compose has `ed-1.20-3`. For
/// `ed-1.19` the cause is `older`.
struct AbsenceVerdicts {
    /// The number of packages that one verdict names.
    static let most = 50

    typealias Verdict = ComposeWhyNotDocument.Verdict

    let name: String
    let request: ComposeRequest
    let content: PackageSet
    let candidates: PackageCandidates
    /// The packages of the compose, with the findings.
    let resolution: Resolution
    /// The packages that the name means and modules hide.
    let hidden: [HiddenPackage]
    /// Further facts of the tag, or `nil` if the source is no tag.
    let koji: KojiAbsence?
    let unsigned: [SignedChoice.Unsigned]

    /// Returns the verdicts. There is at least one.
    func all() -> [Verdict] {
        let verdicts = found() + besides() + (koji.map(inTag) ?? [])
        return verdicts.isEmpty ? [nowhere] : verdicts
    }

    /// The packages of the compose, without source packages, which have the names of others.
    private var chosen: [NEVRA] { resolution.trees.flatMap { $0.binaries + $0.debug }.map(\.record.nevra).uniqued() }

    // MARK: Packages of the sources

    private func found() -> [Verdict] {
        var verdicts: [Verdict] = []
        let lacking = Set(unsigned.map { $0.package.nevra })
        let inside = chosen.filter { isMeant($0) && !lacking.contains($0) }.sorted()
        if !inside.isEmpty {
            verdicts.append(.init(.included, "\(Self.listing(inside)) \(Self.are(inside)) in the compose.", packages: Self.texts(inside)))
        }
        var rest = candidates.packages.filter { !$0.isLookaside }.map(\.package).uniqued().filter {
            !chosen.contains($0) && !lacking.contains($0)
        }
        func take(_ isTaken: (NEVRA) -> Bool) -> [NEVRA] {
            let taken = rest.filter(isTaken)
            rest.removeAll(where: isTaken)
            return taken
        }
        let foreign = take { !isForRequest($0) }
        if !foreign.isEmpty { verdicts.append(otherArch(foreign)) }
        let hiddenNames = Set(hidden.map(\.package))
        _ = take { hiddenNames.contains($0) }
        verdicts += hidden.map { .init(.module, "\($0).", packages: [$0.package.description]) }
        for package in take({ newer(than: $0) != nil }) {
            guard let other = newer(than: package) else { continue }
            let choice = chosen.contains(other) ? "which was chosen" : "which would be taken first"
            verdicts.append(.init(.older, "\(package) is older than \(other), \(choice).", packages: [package.description]))
        }
        let second = take { isSecondary($0) }
        if !second.isEmpty {
            verdicts.append(
                .init(
                    .otherArch,
                    "\(Self.listing(second)) \(Self.are(second)) for an architecture that machines of \(arches) only run besides their own. "
                        + "multilib_arches takes such packages.", packages: Self.texts(second)))
        }
        if !rest.isEmpty { verdicts.append(.init(.notNeeded, notNeeded(rest), packages: Self.texts(rest))) }
        return verdicts
    }

    private func notNeeded(_ packages: [NEVRA]) -> String {
        let subject = Self.listing(packages)
        if request.packages.isEmpty { return "\(subject) \(packages.count == 1 ? "was" : "were") not taken, because another package was." }
        let not = "\(subject) \(packages.count == 1 ? "was" : "were") not requested"
        if request.flags.contains(.noDeps) { return "\(not), and the request has no_deps, so nothing is taken for a requirement." }
        return "\(not), and no package of the compose requires \(packages.count == 1 ? "it" : "them")."
    }

    private func otherArch(_ packages: [NEVRA]) -> Verdict {
        let names = packages.map { "\($0.name).\($0.arch)" }.uniqued()
        return .init(
            .otherArch, "\(Self.listing(names)) exists, but not for \(arches).", packages: Self.texts(packages))
    }

    /// Returns the package of the same name and architecture that comes before `package`, because it is
    /// newer.
    private func newer(than package: NEVRA) -> NEVRA? {
        func isNewer(_ other: NEVRA) -> Bool { other.name == package.name && other.arch == package.arch && package < other }
        return chosen.filter(isNewer).max() ?? candidates.packages.filter { !$0.isLookaside }.map(\.package).filter(isNewer).max()
    }

    private func isForRequest(_ package: NEVRA) -> Bool { DepsolveRequest.packageArches(of: request.arches).contains(package.arch) }

    /// Whether machines run the package although it is not for their own architecture.
    private func isSecondary(_ package: NEVRA) -> Bool {
        guard package.arch != "noarch", let base = try? Depsolver.baseArchitectures(of: [package.arch]),
            let own = try? Depsolver.baseArchitectures(of: request.arches)
        else { return false }
        return Set(base).isDisjoint(with: own)
    }

    // MARK: Findings about packages

    private func besides() -> [Verdict] {
        var verdicts = unsigned.map { unsigned in
            let keys = unsigned.keys.isEmpty ? "is not signed at all" : "is signed by \(unsigned.keys.joined(separator: ", "))"
            let missing =
                unsigned.missing.isEmpty ? "" : ", and Koji has no file with the signature of \(unsigned.missing.joined(separator: ", "))"
            return Verdict(
                .unsigned,
                "\(unsigned.package.nevra) of the build \(unsigned.package.build) \(keys)\(missing). The request allows "
                    + "\(request.sigkeys.joined(separator: ", ")).", packages: [unsigned.package.nevra.description], keys: unsigned.keys)
        }
        let ofFiles = resolution.trees.flatMap { tree in
            (tree.binaries + tree.debug).filter { isMeant($0.record.nevra) }.flatMap { otherFiles(than: $0, in: tree.arch) }
        }
        verdicts += ofFiles
        // The findings of other repositories do not name them, if the files do.
        let named = Set(ofFiles.flatMap(\.packages))
        for overruled in resolution.overruled
        where isMeant(overruled.package)
            && (overruled.listing == overruled.taken || !named.contains(overruled.package.description))
        {
            verdicts.append(.init(.overruled, "\(overruled).", packages: [overruled.package.description]))
        }
        for unusable in content.koji?.leftOut?.unusable ?? [] where isMeant(unusable.package.nevra) {
            verdicts.append(.init(.unusable, unusable.failure.message, packages: [unusable.package.nevra.description]))
        }
        let lookaside = candidates.packages.filter { $0.isLookaside && isForRequest($0.package) }
        if !lookaside.isEmpty, !chosen.contains(where: isMeant) {
            let packages = lookaside.map(\.package).uniqued()
            let place = content.lookaside.first { $0.metadata.id == lookaside[0].repository }?.place ?? "a lookaside repository"
            verdicts.append(
                .init(
                    .lookaside, "\(Self.listing(packages)) \(Self.are(packages)) in the lookaside, \(place). Nothing is taken from there.",
                    packages: Self.texts(packages)))
        }
        return verdicts
    }

    /// Returns a verdict for each repository with another file of a package that was taken.
    private func otherFiles(than package: ResolvedPackage, in arch: String) -> [Verdict] {
        func place(_ repository: Checksum) -> String {
            content.repositories.first { $0.metadata.id == repository }?.location.description ?? "another source"
        }
        let (nevra, taken) = (package.record.nevra, place(package.record.repository))
        return package.alternatives.otherFiles.map { repository in
            let other = OverruledPackage(package: nevra, arch: arch, listing: place(repository), taken: taken)
            return Verdict(.overruled, "\(other).", packages: [nevra.description])
        }
    }

    private func inTag(_ found: KojiAbsence) -> [Verdict] {
        var verdicts = found.blocked.map { blocked in
            Verdict(.blocked, "The package \(blocked.package) is blocked in the tag \(blocked.tag).", packages: [])
        }
        let foreign = found.older.map(\.package).filter { !isForRequest($0) }
        if !foreign.isEmpty, candidates.packages.isEmpty { verdicts.append(otherArch(foreign)) }
        for older in found.older.prefix(Self.most) where isForRequest(older.package) {
            let newer =
                chosen.first { $0.name == older.package.name }
                ?? candidates.packages.first { $0.package.name == older.package.name }?.package
            let instead = newer.map { " \($0) was tagged after it." } ?? " Another build was tagged after it."
            verdicts.append(
                .init(
                    .older, "\(older.package) of the build \(older.build) is in the tag, but not as its latest build.\(instead)",
                    packages: [older.package.description]))
        }
        return verdicts
    }

    // MARK: Packages that are nowhere

    private var nowhere: Verdict {
        if !candidates.providers.isEmpty || !candidates.obsoleters.isEmpty {
            let others = (candidates.obsoleters + candidates.providers).uniqued()
            let what =
                candidates.providers.isEmpty
                ? "obsoletes it" : candidates.obsoleters.isEmpty ? "provides the name" : "provides the name or obsoletes it"
            return .init(
                .providedBy, "\(place) has no package named \(name.quoted). \(Self.listing(others)) \(what).", packages: Self.texts(others))
        }
        let nearest = candidates.nearest.isEmpty ? "" : " The nearest names: \(candidates.nearest.joined(separator: ", "))."
        return .init(.notInSource, "\(place) has no package named \(name.quoted).\(nearest)", nearest: candidates.nearest)
    }

    /// The sources in words, as the beginning of a sentence.
    private var place: String {
        if let tag = content.koji?.pin.tag { return "The tag \(tag.name), as of the event \(tag.event)," }
        if content.koji != nil { return "The list of builds" }
        guard content.repositories.count == 1, let place = content.repositories.first?.place else { return "None of the sources" }
        return place.prefix(1).uppercased() + place.dropFirst()
    }

    // MARK: Words

    private func isMeant(_ package: NEVRA) -> Bool { DepsolveRequest.pattern(name, mayMean: package) }

    private var arches: String { request.arches.joined(separator: ", ") }

    private static func texts(_ packages: [NEVRA]) -> [String] { packages.prefix(most).map(\.description) }

    private static func are(_ packages: [NEVRA]) -> String { packages.count == 1 ? "is" : "are" }

    /// Returns some of the names, and the number of the others.
    private static func listing(_ names: [some CustomStringConvertible]) -> String {
        let first = names.prefix(3).map(\.description).joined(separator: ", ")
        return names.count > 3 ? "\(first) and \(names.count - 3) more" : first
    }
}
