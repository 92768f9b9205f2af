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
    /// Returns each build, or `nil` for one that does not exist, with few requests.
    ///
    /// A text that cannot be the name, version and release of a build has a fault.
    public func getBuilds(_ builds: [KojiName]) async throws(KojiError) -> [Result<KojiBuild?, KojiError>] {
        // The builds may be modules.
        try await multiple(builds.map { XMLRPCCall("getBuild", $0.value) }, atOnce: Self.modulesAtOnce) { (value) throws(KojiError) in
            try row(in: value, of: "getBuild")
        }
    }

    /// Returns the packages of each build, with few requests. A build that does not exist has a fault.
    public func listBuildRPMs(ofEach builds: [KojiName]) async throws(KojiError) -> [Result<[KojiRPM], KojiError>] {
        try await multiple(builds.map { XMLRPCCall("listBuildRPMs", $0.value) }) { (value) throws(KojiError) in
            try rows(in: value, of: "listBuildRPMs")
        }
    }

    /// Returns the signatures of each package, with few requests. They include the unsigned header, which
    /// has the key "".
    public func queryRPMSigs(rpmIDs: [Int]) async throws(KojiError) -> [[KojiSignature]] {
        var signatures: [[KojiSignature]] = []
        let calls = rpmIDs.map { XMLRPCCall("queryRPMSigs").with("rpm_id", .int($0)) }
        for result in try await multiCall(calls) { signatures.append(try rows(in: result.get(), of: "queryRPMSigs")) }
        return signatures
    }

    /// Returns the SHA-256 of the files of each package, by the package's number and then by signing key,
    /// with few requests.
    ///
    /// The key "" stands for the unsigned file. Checksums that the hub does not know yet are left out. The
    /// hub would compute them, and would keep a wrong one for good if the file is damaged at that moment. A
    /// package is also left out if the hub answers a fault that is not transient.
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
