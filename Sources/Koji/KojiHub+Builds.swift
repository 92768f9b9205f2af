/// A module, as its build in Koji describes it.
public struct KojiModule: Hashable, Sendable {
    public let name: String
    /// The stream's name in the Module Build Service. It may contain a `-`, which Koji's NVRs cannot have.
    public let stream: String
    public let version: String
    public let context: String
    /// The Koji tag with the builds of the module's packages.
    public let contentTag: String
    /// The module's description in YAML.
    public let modulemd: String
    public let moduleBuildServiceID: Int?
}

// Builds, their files and signatures.
extension KojiHub {
    /// Returns a build, or `nil` when it does not exist.
    ///
    /// - Throws: A fault if a text cannot be the name, version and release of a build.
    public func getBuild(_ build: KojiName) async throws(KojiError) -> KojiBuild? {
        try await row(XMLRPCCall("getBuild", build.value))
    }

    /// Returns the result of ``getBuild(_:)`` for each build, with few requests.
    public func getBuilds(_ builds: [KojiName]) async throws(KojiError) -> [Result<KojiBuild?, KojiError>] {
        // The builds may be modules.
        try await multiple(builds.map { XMLRPCCall("getBuild", $0.value) }, atOnce: Self.modulesAtOnce) { (value) throws(KojiError) in
            try row(in: value, of: "getBuild")
        }
    }

    /// Returns the packages of a build.
    ///
    /// - Throws: A fault if the build does not exist.
    public func listBuildRPMs(_ build: KojiName) async throws(KojiError) -> [KojiRPM] {
        try await rows(XMLRPCCall("listBuildRPMs", build.value))
    }

    /// Returns the result of ``listBuildRPMs(_:)`` for each build, with few requests.
    public func listBuildRPMs(ofEach builds: [KojiName]) async throws(KojiError) -> [Result<[KojiRPM], KojiError>] {
        try await multiple(builds.map { XMLRPCCall("listBuildRPMs", $0.value) }) { (value) throws(KojiError) in
            try rows(in: value, of: "listBuildRPMs")
        }
    }

    /// Returns the packages of a build that have one of the given architectures. Empty when the build does
    /// not exist.
    public func listRPMs(buildID: Int, arches: [String]? = nil) async throws(KojiError) -> [KojiRPM] {
        try await rows(
            XMLRPCCall("listRPMs").with("buildID", .int(buildID)).with("arches", arches.map { .array($0.map { .string($0) }) }))
    }

    /// Returns a package, or `nil` when it does not exist.
    public func getRPM(_ rpm: KojiName) async throws(KojiError) -> KojiRPM? {
        try await row(XMLRPCCall("getRPM", rpm.value))
    }

    /// Returns the signatures of a package. They include the unsigned header, which has the key "".
    public func queryRPMSigs(rpmID: Int, sigkey: String? = nil) async throws(KojiError) -> [KojiSignature] {
        try await rows(XMLRPCCall("queryRPMSigs").with("rpm_id", .int(rpmID)).with("sigkey", sigkey.map { .string($0) }))
    }

    /// Returns the result of ``queryRPMSigs(rpmID:sigkey:)`` for each package, with few requests.
    public func queryRPMSigs(rpmIDs: [Int]) async throws(KojiError) -> [[KojiSignature]] {
        var signatures: [[KojiSignature]] = []
        let calls = rpmIDs.map { XMLRPCCall("queryRPMSigs").with("rpm_id", .int($0)) }
        for result in try await multiCall(calls) { signatures.append(try rows(in: result.get(), of: "queryRPMSigs")) }
        return signatures
    }

    /// Returns the checksums of a package's files, by signing key and then by the kind of checksum
    /// ("sha256"). The key "" stands for the unsigned file.
    ///
    /// The hub first computes the checksums that it does not know yet, which takes time.
    public func getRPMChecksums(_ rpmID: Int, types: [String]? = nil) async throws(KojiError) -> [String: [String: String]] {
        let call = XMLRPCCall("getRPMChecksums", .int(rpmID)).with("checksum_types", types.map { .array($0.map { .string($0) }) })
        guard case .structure(let keys) = try await self.call(call) else { throw unexpected(call.method, "it is not a struct") }
        return keys.mapValues { sums in
            guard case .structure(let sums) = sums else { return [:] }
            return sums.compactMapValues(\.string)
        }
    }

    /// Returns the SHA-256 of the files of each package, by the package's number and then by signing key,
    /// with few requests.
    ///
    /// The keys are those of ``getRPMChecksums(_:types:)``. Checksums that the hub does not know yet are
    /// left out. The hub would compute them, and would keep a wrong one for good if the file is damaged at
    /// that moment. A package is also left out if the hub answers a fault that is not transient.
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

    /// Returns the files of a build that are not RPMs. Empty when the build does not exist.
    public func listArchives(buildID: Int, type: String? = nil) async throws(KojiError) -> [KojiArchive] {
        try await rows(XMLRPCCall("listArchives").with("buildID", .int(buildID)).with("type", type.map { .string($0) }))
    }

    /// Returns the kinds of builds that the hub knows. Examples: "rpm", "module".
    public func listBTypes() async throws(KojiError) -> [KojiNamed] { try await rows(XMLRPCCall("listBTypes")) }

    /// Returns the volumes that can hold the files of builds.
    public func listVolumes() async throws(KojiError) -> [KojiNamed] { try await rows(XMLRPCCall("listVolumes")) }

    /// Returns the builds whose name, version and release match `glob`, with their numbers.
    public func searchBuilds(_ glob: String) async throws(KojiError) -> [KojiNamed] {
        try await rows(XMLRPCCall("search", .string(glob), "build", "glob"))
    }

    /// Returns the tags whose names match `glob`, with their numbers.
    public func searchTags(_ glob: String) async throws(KojiError) -> [KojiNamed] {
        try await rows(XMLRPCCall("search", .string(glob), "tag", "glob"))
    }

    /// Returns the module that a build contains, or `nil` for a build of another kind.
    public func getModule(_ build: KojiName) async throws(KojiError) -> KojiModule? {
        let call = XMLRPCCall("getBuildType", build.value)
        return try module(in: try await self.call(call), of: call.method)
    }

    /// Returns the result of ``getModule(_:)`` for each build, with few requests. One unusable answer does
    /// not affect the others.
    public func getModules(_ builds: [KojiName]) async throws(KojiError) -> [Result<KojiModule?, KojiError>] {
        let calls = builds.map { XMLRPCCall("getBuildType", $0.value) }
        return try await multiCall(calls, atOnce: Self.modulesAtOnce).map { answer in
            answer.flatMap { value in
                do throws(KojiError) { return .success(try module(in: value, of: "getBuildType")) } catch { return .failure(error) }
            }
        }
    }

    /// The most modules per request. Each answer contains a module's whole description, which may have
    /// hundreds of kilobytes.
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
