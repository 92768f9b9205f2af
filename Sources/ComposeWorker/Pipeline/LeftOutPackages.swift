import ComposeModel
import ContentSources
import Depsolve
import Repodata

/// The packages of Koji that a compose was resolved without, since their files cannot be used: nothing is known of them but their names.
///
/// Where one of them may belong into the compose, the compose fails and names its file. What is asked for is known by name; of what a package requires, it is
/// known only where the requirement has the name of the package that is left out, or comes from a package of the same build.
struct LeftOutPackages: Sendable {
    let unusable: [UnusablePackage]
    /// All that Koji lists, these among them.
    let listed: [KojiPackage]

    /// A sentence for each.
    var notes: [String] { unusable.map { "Resolved without \($0.package.nevra): \($0.failure.message)" } }

    /// Why the compose must fail for one of them, `nil` when it need not.
    func failure(of resolution: Resolution, for request: ComposeRequest) -> ComposeFailure? {
        let resolved = Resolved(resolution, among: listed, request)
        let needed = unusable.compactMap { unusable in resolved.need(for: unusable.package).map { (unusable.failure, $0) } }
        guard !needed.isEmpty else { return nil }
        return ComposeFailure(
            .packageFileUnusable, lines: Resolution.lines(listing: needed.map { "\($0.message) It is needed: \($1)." }),
            details: needed.flatMap(\.0.details))
    }
}

/// What a resolution says of packages that had no part in it.
private struct Resolved {
    private let resolution: Resolution
    private let request: ComposeRequest
    private let listed: [KojiPackage]
    private let chosen: [KojiPackage]

    init(_ resolution: Resolution, among listed: [KojiPackage], _ request: ComposeRequest) {
        self.resolution = resolution
        self.request = request
        self.listed = listed
        chosen = KojiPackage.chosen(by: resolution.records, among: listed)
    }

    /// For what `package` is needed, or may be; `nil` if for nothing.
    func need(for package: KojiPackage) -> String? {
        if let pattern = request.packages.first(where: { asks($0, for: package) }) { return "\(pattern) is asked for" }
        if let standIn = standIn(for: package) { return "\(standIn.nevra) would take its place" }
        if let missing = resolution.missing.first(where: { lacks($0, package) }) {
            return "\(missing.package) requires \(missing.requirement), which nothing else provides"
        }
        guard package.accompanies, let other = chosen.first(where: { $0.build == package.build && !$0.accompanies }) else { return nil }
        return "\(other.nevra) is part of this compose, whose \(package.nevra.isSource ? "source" : "debuginfo") it is"
    }

    /// By its own name, or by that of its source package if no RPM has that name.
    private func asks(_ pattern: String, for package: KojiPackage) -> Bool {
        guard !package.accompanies else { return false }
        if DepsolveRequest.pattern(pattern, mayMean: package.nevra) { return isAbsent(package) }
        let isOfRPM = listed.contains { !$0.nevra.isSource && DepsolveRequest.pattern(pattern, mayMean: $0.nevra) }
        return !isOfRPM
            && listed.contains { $0.nevra.isSource && $0.build == package.build && DepsolveRequest.pattern(pattern, mayMean: $0.nevra) }
    }

    /// Whether there is a tree that would have it. One for another architecture that such machines run as well is wanted only where the package is not there
    /// for the tree's own, or multilib is asked for.
    private func isAbsent(_ package: KojiPackage) -> Bool {
        resolution.trees.contains { tree in
            guard DepsolveRequest.packageArches(of: [tree.arch]).contains(package.nevra.arch) else { return false }
            let isSecond = ![tree.arch, "noarch"].contains(package.nevra.arch) && request.multilibArches.isEmpty
            return !isSecond || !tree.binaries.contains { $0.record.nevra.name == package.nevra.name }
        }
    }

    /// The package of the same name for another architecture that was chosen where `package` would have been.
    private func standIn(for package: KojiPackage) -> PackageRecord? {
        let trees = resolution.trees.filter { $0.arch == package.nevra.arch || package.nevra.arch == "noarch" }
        return trees.flatMap(\.binaries).map(\.record).first { record in
            record.nevra.name == package.nevra.name && record.nevra.arch != package.nevra.arch && request.multilibArches.isEmpty
        }
    }

    private func lacks(_ missing: MissingRequirement, _ package: KojiPackage) -> Bool {
        guard !package.accompanies, DepsolveRequest.packageArches(of: [missing.arch]).contains(package.nevra.arch) else { return false }
        let names = missing.requirement.split { " ()<>=".contains($0) }
        return names.contains { $0 == package.nevra.name }
            || chosen.contains { $0.build == package.build && $0.nevra == missing.package }
    }
}

extension KojiPackage {
    /// Whether it goes into a compose only because others of its build do: a source, debuginfo or debugsource package.
    fileprivate var accompanies: Bool {
        nevra.isSource || nevra.isDebug
    }
}
