import Depsolve
import Foundation
import Logging
import Modules
import Repodata
import Testing

@Suite("Resolutions that would not end")
struct ResolutionLimitTests {
    /// A package whose dependencies are a pigeonhole problem, which no solver of this kind finishes: 13 things, each in one of 12 places, and no two
    /// in the same.
    private static let pigeons: String = {
        let (things, places) = (13, 12)
        var text = package("root", requires: (0..<things).map { "thing\($0)" })
        for thing in 0..<things {
            for place in 0..<places {
                text += package(
                    "x-\(thing)-\(place)", provides: ["thing\(thing)", "x-\(thing)-\(place)"],
                    conflicts: (0..<things).filter { $0 != thing }.map { "x-\($0)-\(place)" })
            }
        }
        return text
    }()

    private static func package(
        _ name: String, version: String = "1", provides: [String] = [], requires: [String] = [], conflicts: [String] = []
    ) -> String {
        func list(_ element: String, _ names: [String]) -> String {
            names.isEmpty ? "" : "<rpm:\(element)>\(names.map { "<rpm:entry name=\"\($0)\"/>" }.joined())</rpm:\(element)>"
        }
        return """
            <package type="rpm"><name>\(name)</name><arch>noarch</arch><version epoch="0" ver="\(version)" rel="1"/>
            <checksum type="sha256">\(String(repeating: "a", count: 64))</checksum><location href="\(name)-\(version).rpm"/>
            <format>\(list("provides", provides))\(list("requires", requires))\(list("conflicts", conflicts))</format></package>

            """
    }

    /// Runs `body` with a request for `packages` of a repository whose primary.xml has these elements.
    private func with<Result>(
        _ elements: String, packages: [String], _ body: (DepsolveRequest) async throws -> Result
    ) async throws -> Result {
        try await withTemporaryDirectory { directory in
            var request = try World.named("file-in-filelists").request(below: directory)
            request.packages = packages
            let text =
                "<metadata xmlns=\"http://linux.duke.edu/metadata/common\" xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\(elements)</metadata>"
            try Data(text.utf8).write(to: directory.appending(path: "world/repodata/primary.xml"))
            return try await body(request)
        }
    }

    @Test("one ends at its limit, in words, and the next one is made", arguments: [false, true])
    func ends(checkingInstallability: Bool) async throws {
        try await with(Self.pigeons, packages: ["root"]) { request in
            var request = request
            request.checkInstallability = checkingInstallability
            // The small solve at the end must be done within this time on a busy machine too.
            let depsolver = Depsolver(timeLimit: .seconds(2))
            let error = await #expect(throws: DepsolveError.self) { try await depsolver.resolve(request) }
            #expect(error == .overTime(.seconds(2)))
            #expect(
                error?.description
                    == "The dependencies of the packages could not be resolved within 2 seconds, the most that this service takes for one "
                    + "architecture (worker.resolve_seconds).")
            request.packages = ["x-0-0"]
            request.checkInstallability = false
            let other = try await depsolver.resolve(request)
            #expect(other.trees[0].binaries.map(\.record.nevra.name) == ["x-0-0"])
        }
    }

    @Test("one that is canceled ends, and the next one is made")
    func canceled() async throws {
        try await with(Self.pigeons, packages: ["root"]) { request in
            let (loaded, load) = AsyncStream.makeStream(of: Void.self)
            let depsolver = Depsolver(timeLimit: .seconds(3600), logger: Logger(label: "test") { _ in SignalHandler { load.yield() } })
            let task = Task { try await depsolver.resolve(request) }
            // The pool is loaded right before it is solved for.
            for await _ in loaded { break }
            task.cancel()
            await #expect(throws: DepsolveError.canceled) { try await task.value }
            var other = request
            other.packages = ["x-0-0"]
            let resolution = try await depsolver.resolve(other)
            #expect(resolution.trees[0].binaries.map(\.record.nevra.name) == ["x-0-0"])
        }
    }

    @Test("modules that would be solved for without end end at the limit as well")
    func modules() async throws {
        let (things, places) = (13, 12)
        var modules = ""
        for thing in 0..<things {
            modules += "thing\(thing):s:1:c\n"
            for place in 0..<places { modules += "    requires place\(place):p\(thing)\n" }
            for place in 0..<places { modules += "place\(place):p\(thing):1:c\n" }
        }
        let yaml = try WorldModules(modules).yaml
        try await withTemporaryDirectory { directory in
            let repository = WorldRepository(packages: try WorldPackage.parse("app 1-1 x86_64\n"), name: "world", modules: yaml)
            var content = ModularContent(metadata: try ModuleMetadata(yaml: yaml))
            content.enabled = (0..<things).compactMap { ModuleReference("thing\($0):s") }
            let request = DepsolveRequest(
                repositories: [try repository.write(to: directory.appending(path: "world/repodata"))], modules: content,
                packages: ["app"], arches: ["x86_64"])
            await #expect(throws: DepsolveError.overTime(.milliseconds(500))) {
                try await Depsolver(timeLimit: .milliseconds(500)).resolve(request)
            }
        }
    }

    @Test("more exclusions than memory holds are refused before they are solved for")
    func exclusions() async throws {
        let versions = (0..<7500).map { Self.package("many", version: "\($0)", requires: ["many"]) }.joined()
        try await with(versions + Self.package("other"), packages: ["many"]) { request in
            await #expect(throws: DepsolveError.tooManyExclusions) { try await Depsolver().resolve(request) }
            var other = request
            other.packages = ["other"]
            let resolution = try await Depsolver().resolve(other)
            #expect(resolution.trees[0].binaries.map(\.record.nevra.name) == ["other"])
        }
    }

    @Test("thousands of packages that lack versions of the same thing are told with the best three, and take linear time")
    func manyLack() async throws {
        let count = 4000
        let packages = (0..<count).map { number in
            """
            <package type="rpm"><name>p\(number)</name><arch>noarch</arch><version epoch="0" ver="1" rel="1"/>
            <checksum type="sha256">\(String(repeating: "a", count: 64))</checksum><location href="p\(number).rpm"/><format>
            <rpm:provides><rpm:entry name="v" flags="EQ" epoch="0" ver="\(number)" rel="1"/></rpm:provides>
            <rpm:requires><rpm:entry name="v" flags="EQ" epoch="0" ver="\(number).5" rel="1"/></rpm:requires></format></package>

            """
        }
        try await with(packages.joined(), packages: []) { request in
            let missing = try await Depsolver().resolve(request).missing
            #expect(missing.count == count)
            #expect(
                missing.allSatisfy {
                    $0.nearest == [
                        "p999-1-1.noarch provides v = 999-1", "p998-1-1.noarch provides v = 998-1",
                        "p997-1-1.noarch provides v = 997-1",
                    ]
                }, "\(missing[0].nearest)")
        }
    }
}

/// Calls a function for each line that is logged.
private struct SignalHandler: LogHandler {
    let signal: @Sendable () -> Void
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .debug

    init(_ signal: @escaping @Sendable () -> Void) { self.signal = signal }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { signal() }
}
