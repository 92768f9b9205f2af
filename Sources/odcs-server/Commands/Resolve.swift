import ArgumentParser
import ComposeModel
import ContentSources
import Depsolve
import ForeignText
import Foundation
import HTTPEnvironment
import Logging
import Modules
import NIOPosix
import Repodata
import SystemPackage

/// The command `odcs-server resolve`. It shows the result of a compose without a server: the packages,
/// the reason for each, and the missing ones.
struct Resolve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "List the packages that a compose of a repository would have, the reason for each, and missing packages.",
        discussion: "Needs no server, no database and no configuration. Exit status 1 when a requested package is nowhere.")

    @Argument(help: "A repository: a directory or an http(s) address.")
    var repository: String

    @Argument(help: "Package names or globs; none means everything.")
    var packages: [String] = []

    @Option(name: .customLong("arch"), help: "An architecture; may be given several times.")
    var arches: [String] = ["x86_64"]

    @Option(help: "A further repository to take packages from; may be given several times.")
    var source: [String] = []

    @Option(help: "A repository that satisfies requirements and is not part of the result; may be given several times.")
    var lookaside: [String] = []

    @Option(
        name: .customLong("module"),
        help: "A stream, N:S, that is enabled in place of its module's default one; may be given several times.")
    var modules: [String] = []

    @Option(name: .customLong("multilib-arch"), help: "An architecture whose tree gets 32-bit packages too.")
    var multilibArches: [String] = []

    @Option(name: .customLong("multilib-method"), help: "Which 32-bit packages: runtime, devel or all.")
    var multilibMethods: [String] = []

    @Flag(help: "Exactly the named packages, without their dependencies.")
    var noDeps = false

    @Flag(help: "Look for everything that could not be installed; then exit status 1.")
    var checkDeps = false

    @Flag(help: "Print the resolution as JSON.")
    var json = false

    func validate() throws {
        for module in modules where ModuleReference(module) == nil { throw ValidationError("\(module) is no module as N:S") }
        for method in multilibMethods where MultilibMethods(name: method) == nil {
            throw ValidationError("\(method) is no multilib method; there are runtime, devel and all")
        }
    }

    func run() async throws {
        let resolution = try await resolve()
        if json {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            print(String(decoding: try encoder.encode(resolution), as: UTF8.self).jsonWithVisibleCharacters)
        } else {
            print(ResolutionReport(resolution).text, terminator: "")
        }
        let isUnmet = resolution.moduleProblems.contains { $0.kind == .unmetRequirements }
        let isBroken = checkDeps && !(resolution.missing.isEmpty && resolution.problems.isEmpty && !isUnmet)
        if isBroken || resolution.absent.contains(where: \.isNowhere) { throw ExitCode(1) }
    }

    private func resolve() async throws -> Resolution {
        let locations = try ([repository] + source).map(Self.location)
        let lookasideLocations = try lookaside.map(Self.location)
        var roots: [FilePath] = []
        var prefixes: [String] = []
        for location in locations + lookasideLocations {
            switch location {
            case .directory(let path): roots.append(path)
            case .url: prefixes.append(location.description)
            }
        }
        let cache = FilePath(FileManager.default.temporaryDirectory.path).appending("odcs-resolve-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(atPath: cache.string) }
        let limits = SourceLimits()
        let httpClient = OutboundClient(limits.httpClientConfiguration)
        do {
            let source = RepositorySource(
                access: try SourceAccess(allowedRoots: roots, allowedURLPrefixes: prefixes), limits: limits, cacheDirectory: cache,
                httpClient: httpClient, threadPool: .singleton, logger: Logger(label: "odcs-resolve") { _ in SwiftLogNoOpLogHandler() })
            let repositories = try await metadata(of: locations, from: source)
            let lookaside = try await metadata(of: lookasideLocations, from: source)
            let request = DepsolveRequest(
                repositories: repositories.map(\.metadata), lookaside: lookaside.map(\.metadata),
                modules: ModularContent(
                    metadata: try await modules(of: repositories, from: source), lookaside: try await modules(of: lookaside, from: source),
                    enabled: modules.compactMap { ModuleReference($0) }),
                packages: packages, arches: arches, multilibArches: multilibArches,
                multilibMethod: MultilibMethod(
                    rawValue: multilibMethods.compactMap(MultilibMethods.init(name:)).reduce(into: MultilibMethods()) { $0.formUnion($1) }
                        .rawValue),
                noDeps: noDeps, checkInstallability: checkDeps)
            for note in request.modules?.notes ?? [] { FileHandle.standardError.write(Data("Warning: \(note)\n".utf8)) }
            let resolution = try await Depsolver(timeLimit: .seconds(10)).resolve(request)
            try await httpClient.shutdown()
            return resolution
        } catch {
            try await httpClient.shutdown()
            throw error
        }
    }

    private func metadata(of locations: [RepositoryLocation], from source: RepositorySource) async throws -> [PinnedRepository] {
        var result: [PinnedRepository] = []
        for location in locations { result.append(try await source.metadata(for: try await source.pin(location))) }
        return result
    }

    private func modules(of repositories: [PinnedRepository], from source: RepositorySource) async throws -> ModuleMetadata {
        var several: [ModuleMetadata] = []
        for repository in repositories { several.append(try await source.modules(of: repository)) }
        return try ModuleMetadata(merging: several)
    }

    /// Returns the location of a repository. A relative path is relative to the current directory.
    private static func location(_ text: String) throws -> RepositoryLocation {
        if text.contains("://") { return try RepositoryLocation(text) }
        let path = FilePath(FileManager.default.currentDirectoryPath).pushing(FilePath(text)).lexicallyNormalized()
        return try RepositoryLocation(path.string)
    }
}
