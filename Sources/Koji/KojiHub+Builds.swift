/// What a build of a module says about it.
public struct KojiModule: Hashable, Sendable {
    public let name: String
    /// As the Module Build Service has it, with the `-` that Koji's NVRs cannot have.
    public let stream: String
    public let version: String
    public let context: String
    /// The tag with the builds of its packages.
    public let contentTag: String
    /// The module's description, YAML.
    public let modulemd: String
    public let moduleBuildServiceID: Int?
}

// Builds, their files and signatures.
extension KojiHub {
    /// The build; `nil` when there is none. Throws a fault for a text that cannot be the name, version and release of a build.
    public func getBuild(_ build: KojiName) async throws(KojiError) -> KojiBuild? {
        try await row(XMLRPCCall("getBuild", build.value))
    }

    /// As ``getBuild(_:)`` for each, with few requests.
    public func getBuilds(_ builds: [KojiName]) async throws(KojiError) -> [Result<KojiBuild?, KojiError>] {
        // They may be modules.
        try await multiple(builds.map { XMLRPCCall("getBuild", $0.value) }, atOnce: Self.modulesAtOnce) { (value) throws(KojiError) in
            try row(in: value, of: "getBuild")
        }
    }

    /// The packages of a build. Throws a fault when there is no such build.
    public func listBuildRPMs(_ build: KojiName) async throws(KojiError) -> [KojiRPM] {
        try await rows(XMLRPCCall("listBuildRPMs", build.value))
    }

    /// As ``listBuildRPMs(_:)`` for each, with few requests.
    public func listBuildRPMs(ofEach builds: [KojiName]) async throws(KojiError) -> [Result<[KojiRPM], KojiError>] {
        try await multiple(builds.map { XMLRPCCall("listBuildRPMs", $0.value) }) { (value) throws(KojiError) in
            try rows(in: value, of: "listBuildRPMs")
        }
    }

    /// The packages of a build that are of certain architectures. Empty when there is no such build.
    public func listRPMs(buildID: Int, arches: [String]? = nil) async throws(KojiError) -> [KojiRPM] {
        try await rows(
            XMLRPCCall("listRPMs").with("buildID", .int(buildID)).with("arches", arches.map { .array($0.map { .string($0) }) }))
    }

    /// The package; `nil` when there is none.
    public func getRPM(_ rpm: KojiName) async throws(KojiError) -> KojiRPM? {
        try await row(XMLRPCCall("getRPM", rpm.value))
    }

    /// The signatures of a package, the unsigned header with the key "" among them.
    public func queryRPMSigs(rpmID: Int, sigkey: String? = nil) async throws(KojiError) -> [KojiSignature] {
        try await rows(XMLRPCCall("queryRPMSigs").with("rpm_id", .int(rpmID)).with("sigkey", sigkey.map { .string($0) }))
    }

    /// As ``queryRPMSigs(rpmID:sigkey:)`` for each, with few requests.
    public func queryRPMSigs(rpmIDs: [Int]) async throws(KojiError) -> [[KojiSignature]] {
        var signatures: [[KojiSignature]] = []
        let calls = rpmIDs.map { XMLRPCCall("queryRPMSigs").with("rpm_id", .int($0)) }
        for result in try await multiCall(calls) { signatures.append(try rows(in: result.get(), of: "queryRPMSigs")) }
        return signatures
    }

    /// The checksums of a package's files: by key, "" being the unsigned file, and by the name of the checksum ("sha256"). The hub computes those
    /// that it does not know yet, which takes it time.
    public func getRPMChecksums(_ rpmID: Int, types: [String]? = nil) async throws(KojiError) -> [String: [String: String]] {
        let call = XMLRPCCall("getRPMChecksums", .int(rpmID)).with("checksum_types", types.map { .array($0.map { .string($0) }) })
        guard case .structure(let keys) = try await self.call(call) else { throw unexpected(call.method, "it is not a struct") }
        return keys.mapValues { sums in
            guard case .structure(let sums) = sums else { return [:] }
            return sums.compactMapValues(\.string)
        }
    }

    /// The SHA-256 of the files of each package, by its number and then by key, with few requests. As ``getRPMChecksums(_:types:)``; a package whose
    /// checksums the hub does not know yet is left out: it would compute them, and keep for good those of a file that is damaged at the moment.
    public func sha256(ofRPMs ids: [Int]) async throws(KojiError) -> [Int: [String: String]] {
        let calls = ids.map {
            XMLRPCCall("getRPMChecksums", .int($0)).with("checksum_types", .array([.string("sha256")])).with("cacheonly", true)
        }
        var known: [Int: [String: String]] = [:]
        for (id, result) in zip(ids, try await multiCall(calls)) {
            switch result {
            case .success(.structure(let keys)):
                known[id] = keys.compactMapValues { sums in
                    guard case .structure(let sums) = sums else { return nil }
                    return sums["sha256"]?.string
                }
            case .failure(let error) where error.isTransient: throw error
            case .success, .failure: continue
            }
        }
        return known
    }

    /// The files of a build that are not RPMs. Empty when there is no such build.
    public func listArchives(buildID: Int, type: String? = nil) async throws(KojiError) -> [KojiArchive] {
        try await rows(XMLRPCCall("listArchives").with("buildID", .int(buildID)).with("type", type.map { .string($0) }))
    }

    /// What kinds of builds the hub knows: "rpm", "module".
    public func listBTypes() async throws(KojiError) -> [KojiNamed] { try await rows(XMLRPCCall("listBTypes")) }

    /// The volumes that builds' files may be on.
    public func listVolumes() async throws(KojiError) -> [KojiNamed] { try await rows(XMLRPCCall("listVolumes")) }

    /// The builds whose name, version and release match `glob`, with their numbers.
    public func searchBuilds(_ glob: String) async throws(KojiError) -> [KojiNamed] {
        try await rows(XMLRPCCall("search", .string(glob), "build", "glob"))
    }

    /// The tags whose names match `glob`, with their numbers.
    public func searchTags(_ glob: String) async throws(KojiError) -> [KojiNamed] {
        try await rows(XMLRPCCall("search", .string(glob), "tag", "glob"))
    }

    /// What a build says about the module that it is; `nil` for a build of another kind.
    public func getModule(_ build: KojiName) async throws(KojiError) -> KojiModule? {
        let call = XMLRPCCall("getBuildType", build.value)
        return try module(in: try await self.call(call), of: call.method)
    }

    /// As ``getModule(_:)`` for each, with few requests; each may be unusable by itself.
    public func getModules(_ builds: [KojiName]) async throws(KojiError) -> [Result<KojiModule?, KojiError>] {
        let calls = builds.map { XMLRPCCall("getBuildType", $0.value) }
        return try await multiCall(calls, atOnce: Self.modulesAtOnce).map { answer in
            answer.flatMap { value in
                do throws(KojiError) { return .success(try module(in: value, of: "getBuildType")) } catch { return .failure(error) }
            }
        }
    }

    /// Each answer about a module has its whole description, which may have hundreds of kilobytes.
    private static let modulesAtOnce = 50

    private func module(in value: XMLRPCValue, of method: String) throws(KojiError) -> KojiModule? {
        guard let module = value["module"], case .structure = module else { return nil }
        let text = { (member: String) throws(KojiError) -> String in
            guard let text = module[member]?.string else { throw self.unexpected(method, "it has a module without \(member)") }
            return text
        }
        return KojiModule(
            name: try text("name"), stream: try text("stream"), version: try text("version"), context: try text("context"),
            contentTag: try text("content_koji_tag"), modulemd: try text("modulemd_str"),
            moduleBuildServiceID: module["module_build_service_id"]?.int)
    }

    private func multiple<Value>(
        _ calls: [XMLRPCCall], atOnce: Int = .max, _ decode: (XMLRPCValue) throws(KojiError) -> Value
    ) async throws(KojiError) -> [Result<Value, KojiError>] {
        var results: [Result<Value, KojiError>] = []
        for result in try await multiCall(calls, atOnce: atOnce) {
            switch result {
            case .success(let value): results.append(.success(try decode(value)))
            case .failure(let error): results.append(.failure(error))
            }
        }
        return results
    }
}
