import ComposeModel
import ContentSources
import Depsolve
import Repodata

/// Left-out packages are the packages of Koji that a compose was resolved without, because their files
/// cannot be used. Only their names are known.
///
/// If one of them may belong to the compose, the compose fails and names the file. A package that the
/// user requests is recognized by its name. A package that another package requires is recognized in
/// two cases:
///
/// - The requirement contains the name of the left-out package.
/// - The requirement comes from a package of the same build.
struct LeftOutPackages: Sendable {
    let unusable: [UnusablePackage]
    /// All packages that Koji lists, including the unusable ones.
    let listed: [KojiPackage]

    /// Sentences, one for each package that was left out.
    var notes: [String] { unusable.map { "Resolved without \($0.package.nevra): \($0.failure.message)" } }

    /// Returns the failure of the compose if it may need one of the left-out packages, or `nil` if it needs
    /// none of them.
    func failure(of resolution: Resolution, for request: ComposeRequest) -> ComposeFailure? {
        let resolved = Resolved(resolution, among: listed, request)
        let needed = unusable.compactMap { unusable in resolved.need(for: unusable.package).map { (unusable.failure, $0) } }
        guard !needed.isEmpty else { return nil }
        return ComposeFailure(
            .packageFileUnusable, lines: Resolution.lines(listing: needed.map { "\($0.message) It is needed: \($1)." }),
            details: needed.flatMap(\.0.details))
    }
}

/// A resolution, and its conclusions about packages that were not part of it.
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

    /// Returns the reason why `package` is needed or may be needed, or `nil` if it is not needed. Example:
    /// `bash is asked for`.
    func need(for package: KojiPackage) -> String? {
        if let pattern = request.packages.first(where: { asks($0, for: package) }) { return "\(pattern) is asked for" }
        if let standIn = standIn(for: package) { return "\(standIn.nevra) would take its place" }
        if let missing = resolution.missing.first(where: { lacks($0, package) }) {
            return "\(missing.package) requires \(missing.requirement), which nothing else provides"
        }
        guard package.accompanies, let other = chosen.first(where: { $0.build == package.build && !$0.accompanies }) else { return nil }
        return "\(other.nevra) is part of this compose, whose \(package.nevra.isSource ? "source" : "debuginfo") it is"
    }

    /// Returns whether the pattern asks for the package. The pattern may be the package's own name. If no
    /// RPM has that name, it may be the name of the package's source package.
    private func asks(_ pattern: String, for package: KojiPackage) -> Bool {
        guard !package.accompanies else { return false }
        if DepsolveRequest.pattern(pattern, mayMean: package.nevra) { return isAbsent(package) }
        let isOfRPM = listed.contains { !$0.nevra.isSource && DepsolveRequest.pattern(pattern, mayMean: $0.nevra) }
        return !isOfRPM
            && listed.contains { $0.nevra.isSource && $0.build == package.build && DepsolveRequest.pattern(pattern, mayMean: $0.nevra) }
    }

    /// Returns whether a tree lacks the package and should have it. The package may be for another
    /// architecture that the machines of the tree also run, for example `i686` on `x86_64`. The tree then
    /// needs it only in two cases: the tree has no package of the same name, or the request asks for
    /// multilib.
    private func isAbsent(_ package: KojiPackage) -> Bool {
        resolution.trees.contains { tree in
            guard DepsolveRequest.packageArches(of: [tree.arch]).contains(package.nevra.arch) else { return false }
            let isSecond = ![tree.arch, "noarch"].contains(package.nevra.arch) && request.multilibArches.isEmpty
            return !isSecond || !tree.binaries.contains { $0.record.nevra.name == package.nevra.name }
        }
    }

    /// Returns the package of the same name for another architecture that was chosen in place of `package`.
    /// Returns `nil` if there is no such package.
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
    /// Whether the package goes into a compose only because other packages of its build do. This holds for
    /// source, debuginfo and debugsource packages.
    fileprivate var accompanies: Bool {
        nevra.isSource || nevra.isDebug
    }
}
