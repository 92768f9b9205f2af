import ComposeModel
public import HTTPEnvironment
public import Logging
public import Modules
import NIOPosix

/// Asks the Module Build Service (MBS) for the modules that it has built in Koji.
///
/// Every call throws a `ComposeFailure`: `.sourceUnreachable` (transient) when the service does not answer, is busy or breaks off, however often it
/// was asked; `.sourceChanging` (transient) when a list changed again and again while it was read; `.sourceNotUsable` when the service refuses, or is
/// not where the configuration says; `.metadataCorrupt` when what it says makes no sense; `.limitExceeded`.
public struct ModuleBuildService: ModuleCatalog {
    let connection: WebServiceConnection
    let limits: ModuleBuildServer.Limits

    /// "the Module Build Service at https://mbs.example.org"
    public var name: String { connection.service.name }

    /// Reads the file of certificates that `server` names; a change of it is seen by a new value only.
    /// - Parameter httpClient: which follows no redirects and decompresses nothing, as with ``SourceLimits/httpClientConfiguration``.
    public init(_ server: ModuleBuildServer, httpClient: OutboundClient, logger: Logger) throws(ModuleBuildServer.ConfigurationError) {
        connection = WebServiceConnection(
            service: server.service, tls: try server.tlsConfiguration(), client: httpClient, logger: logger)
        limits = server.limits
    }

    /// Scratch builds are none of them.
    ///
    /// Koji has builds of `NAME-devel` with what a module filters out, of which the service knows nothing: what it has of NAME stands for them,
    /// and they depend on it.
    public func builds(of reference: ModuleReference, filter: ModuleBuildFilter) async throws -> [ModuleBuild] {
        // Documents of older versions are nobody's affair.
        let found = try await builds(reference.choice(of: try await newest(reference, filter: filter), id: \.id))
        guard found.isEmpty, let plain = reference.withoutDevel else { return found }
        return try await builds(plain.choice(of: try await newest(plain, filter: filter), id: \.id)).map { build in
            ModuleBuild(stream: try devel(build.stream), kojiTag: build.kojiTag, bases: build.bases)
        }
    }

    public func streams(of module: String, filter: ModuleBuildFilter) async throws -> [String] {
        let found = try await listed([("name", module)], filter: filter).filter { $0.id.name == module }
        guard found.isEmpty, let plain = module.withoutDevel else { return Set(found.map(\.id.stream)).sorted() }
        return try await streams(of: plain, filter: filter)
    }

    /// Those of the newest builds: the service has no list of names.
    public func modules() async throws -> [String] {
        Set(try await listed([], filter: ModuleBuildFilter()).map(\.id.name)).sorted()
    }

    // MARK: Lists

    /// The builds of the newest version, and maybe some of older ones.
    private func newest(_ reference: ModuleReference, filter: ModuleBuildFilter) async throws(ComposeFailure) -> [ModuleBuildRecord] {
        let states = Self.states(filter)
        let accepts = { (record: ModuleBuildRecord) in !record.isScratch && (record.bases.map(filter.accepts) ?? true) }
        let found = try await inFull(reference, Self.parameters(filter)).read(from: connection) { Self.isComplete($0, upTo: accepts) }
        for record in found where !reference.includes(record.id) || !states.contains(record.state) {
            throw connection.service.senseless(
                "it lists the module \(record.id.description.shown) in the state \(record.stateName.shown), which was not asked for")
        }
        return found.filter(accepts)
    }

    /// Whether all builds of the newest version are there that has an accepted one: the list goes on with older ones, if it is in order.
    static func isComplete(_ found: [ModuleBuildRecord], upTo accepts: (ModuleBuildRecord) -> Bool) -> Bool {
        guard let newest = found.first(where: accepts), let last = found.last, last.id.version < newest.id.version else { return false }
        return zip(found, found.dropFirst()).allSatisfy { $0.id.version >= $1.id.version }
    }

    /// The builds that `reference` means with their documents, the newest first. The second order is for builds of one version, which would
    /// otherwise move from page to page.
    func inFull(
        _ reference: ModuleReference, _ parameters: [(name: String, value: String)], enough: Int? = nil
    ) -> ModuleBuildList {
        ModuleBuildList(
            query: [("nsvc", reference.description)] + parameters
                + [("verbose", "True"), ("order_desc_by", "version"), ("order_desc_by", "id")],
            pageSize: limits.pageSize, pages: limits.pages, enough: enough)
    }

    /// A line about each of the newest builds.
    private func listed(
        _ query: [(name: String, value: String)], filter: ModuleBuildFilter
    ) async throws(ComposeFailure) -> [ModuleBuildRecord] {
        let list = ModuleBuildList(
            query: query + Self.parameters(filter) + [("short", "True")], pageSize: limits.listSize, pages: limits.pages,
            enough: limits.listedBuilds)
        return try await list.read(from: connection).filter { !$0.isScratch }
    }

    /// The states that count, as numbers of the service.
    static func states(_ filter: ModuleBuildFilter) -> [Int] {
        filter.includesDone ? [ModuleBuildRecord.State.done, ModuleBuildRecord.State.ready] : [ModuleBuildRecord.State.ready]
    }

    private static func parameters(_ filter: ModuleBuildFilter) -> [(name: String, value: String)] {
        let bases: [(name: String, value: String?)] = [
            ("base_module_br_name", filter.baseName), ("base_module_br_stream", filter.baseStream),
            ("base_module_br_stream_version_lte", filter.baseStreamVersionAtMost.map(\.description)),
            ("base_module_br_stream_version_gte", filter.baseStreamVersionAtLeast.map(\.description)),
        ]
        return states(filter).map { ("state", String($0)) } + bases.compactMap { base in base.value.map { (base.name, $0) } }
    }

    // MARK: Documents

    func builds(_ records: [ModuleBuildRecord]) async throws(ComposeFailure) -> [ModuleBuild] {
        var builds: [ModuleBuild] = []
        for record in records {
            builds.append(
                ModuleBuild(
                    stream: try await stream(of: record.id, isScratch: record.isScratch, yaml: record.document ?? ""),
                    kojiTag: record.kojiTag, bases: record.bases ?? [], scratchID: record.isScratch ? record.number : nil))
        }
        return builds
    }

    /// What a document says, which has to be that of this build. Those of the first modules name no context; that of a scratch build is
    /// followed by an underscore and a number, which need not be in the document.
    func stream(of id: NSVC, isScratch: Bool, yaml: String) async throws(ComposeFailure) -> ModuleStream {
        try await NIOThreadPool.singleton.run(canceled: .canceled) { () throws(ComposeFailure) in
            try read(id, isScratch: isScratch, yaml: yaml)
        }
    }

    private func read(_ id: NSVC, isScratch: Bool, yaml: String) throws(ComposeFailure) -> ModuleStream {
        do {
            let streams = try ModuleMetadata(yaml: yaml).streams
            guard let stream = streams.first, streams.count == 1 else {
                throw unreadable(id, streams.isEmpty ? "it has no module in it" : "it has \(streams.count) modules in it")
            }
            guard stream.id.nameAndStream == id.nameAndStream, stream.id.version == id.version,
                stream.id.context == id.context || stream.id.context.isEmpty
                    || isScratch && id.context.hasPrefix("\(stream.id.context)_")
            else { throw unreadable(id, "it is that of \(stream.id.description.shown)") }
            return try stream.identified(as: id)
        } catch let error as ModuleMetadataError {
            throw unreadable(id, error.description)
        } catch let failure as ComposeFailure {
            throw failure
        } catch {
            throw unreadable(id, "\(error)")
        }
    }

    private func devel(_ stream: ModuleStream) throws(ComposeFailure) -> ModuleStream {
        let id = NSVC(
            name: stream.id.name + String.develSuffix, stream: stream.id.stream, version: stream.id.version, context: stream.id.context)
        do {
            return try stream.identified(as: id, requiring: (stream.id.name, stream.id.stream))
        } catch {
            throw unreadable(stream.id, error.description)
        }
    }

    func unreadable(_ id: NSVC, _ finding: String) -> ComposeFailure {
        ComposeFailure(
            .metadataCorrupt,
            "The modulemd document of the module \(id) in \(name) cannot be used: \(finding.hasSuffix(".") ? String(finding.dropLast()) : finding).",
            details: [.init(package: id.description, text: finding)])
    }
}

extension ModuleReference {
    /// Of `NAME-devel` the same of NAME; `nil` for any other.
    var withoutDevel: ModuleReference? {
        name.withoutDevel.map { ModuleReference(name: $0, stream: stream, version: version, context: context) }
    }
}

extension String {
    fileprivate static let develSuffix = "-devel"

    fileprivate var withoutDevel: String? {
        hasSuffix(Self.develSuffix) && count > Self.develSuffix.count ? String(dropLast(Self.develSuffix.count)) : nil
    }
}
