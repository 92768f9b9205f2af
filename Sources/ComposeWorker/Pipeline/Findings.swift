import ComposeModel
import Depsolve
import Repodata

/// What a resolution says to people: findings that are reported, and those that fail the compose.
extension Resolution {
    /// One sentence for each thing that is not as the request would have it.
    var findings: [String] {
        (absent.map(\.description) + missing.map(\.description) + problems.map(\.description)).map(Self.sentence)
    }

    /// Why the compose must fail, `nil` when it need not: a package that is nowhere; with `check_deps`, anything that cannot be installed.
    func failure(of request: ComposeRequest) -> ComposeFailure? {
        let nowhere = absent.filter(\.isNowhere)
        if !nowhere.isEmpty {
            return ComposeFailure(
                .packageNotFound, nowhere.map { Self.sentence($0.description) }.joined(separator: "\n"),
                details: nowhere.flatMap { absent in
                    absent.arches.map { .init(package: absent.pattern, arch: $0, nearest: absent.nearest) }
                })
        }
        guard request.flags.contains(.checkDeps), !(missing.isEmpty && problems.isEmpty) else { return nil }
        let broken = (missing.map(\.description) + problems.map(\.description)).map(Self.sentence)
        return ComposeFailure(
            .brokenDependencies,
            (["Not everything in this compose can be installed, and check_deps is set:"] + broken).joined(separator: "\n"),
            details: missing.map {
                .init(package: $0.package.description, arch: $0.arch, requirement: $0.requirement, nearest: $0.nearest)
            } + problems.map { .init(package: $0.package.description, arch: $0.arch, text: $0.description) })
    }

    private static func sentence(_ text: String) -> String {
        text.prefix(1).uppercased() + text.dropFirst() + (text.hasSuffix(".") ? "" : ".")
    }
}
