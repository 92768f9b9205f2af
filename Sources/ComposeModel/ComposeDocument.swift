public import Foundation

/// A compose as the HTTP contract writes it; the frontend and the events encode it, clients decode it.
public struct ComposeDocument: Hashable, Sendable, Codable {
    public var id: Int
    public var owner: String
    public var sourceType: Int
    public var source: String
    public var state: Int
    public var stateName: String
    public var stateReason: String?
    public var failure: ComposeFailure?
    public var timeSubmitted: String
    public var timeStarted: String?
    public var timeDone: String?
    public var timeToExpire: String?
    public var timeRemoved: String?
    public var removedBy: String?
    public var resultRepo: String
    public var resultRepofile: String
    public var toplevelURL: String
    public var flags: [String]
    public var results: [String]
    public var sigkeys: String
    public var kojiEvent: Int?
    public var kojiTaskID: Int?
    public var packages: String?
    public var builds: String?
    public var arches: String
    public var multilibArches: String
    public var multilibMethod: Int
    public var lookasideRepos: String
    public var modularKojiTags: String?
    public var moduleDefaultsURL: String?
    public var label: String?
    public var composeType: String?
    public var pungiComposeID: String?
    public var scratchModules: String?
    public var parentPungiComposeIDs: String?
    public var scratchBuildTasks: String?
    public var modules: String?
    public var respinOf: String?
    public var baseModuleBrName: String?
    public var baseModuleBrStream: String?
    public var baseModuleBrStreamVersionLTE: Int?
    public var baseModuleBrStreamVersionGTE: Int?
    public var targetDir: String
    /// The watch that it was made for; an addition of this service's.
    public var watch: Int?
    /// `link` or `reference`.
    public var delivery: String?
    /// `fail` or `wait`.
    public var onUnsigned: String?
    public var unsignedWaitSeconds: Int?
    /// Whether the `.repo` file tells clients to see the packages whatever streams of modules they have enabled.
    public var moduleHotfixes: Bool?

    enum CodingKeys: String, CodingKey, CaseIterable {
        case id, owner, source, state, failure, flags, results, sigkeys, packages, builds, arches, label, modules, delivery, watch
        case sourceType = "source_type"
        case stateName = "state_name"
        case stateReason = "state_reason"
        case timeSubmitted = "time_submitted"
        case timeStarted = "time_started"
        case timeDone = "time_done"
        case timeToExpire = "time_to_expire"
        case timeRemoved = "time_removed"
        case removedBy = "removed_by"
        case resultRepo = "result_repo"
        case resultRepofile = "result_repofile"
        case toplevelURL = "toplevel_url"
        case kojiEvent = "koji_event"
        case kojiTaskID = "koji_task_id"
        case multilibArches = "multilib_arches"
        case multilibMethod = "multilib_method"
        case lookasideRepos = "lookaside_repos"
        case modularKojiTags = "modular_koji_tags"
        case moduleDefaultsURL = "module_defaults_url"
        case composeType = "compose_type"
        case pungiComposeID = "pungi_compose_id"
        case scratchModules = "scratch_modules"
        case parentPungiComposeIDs = "parent_pungi_compose_ids"
        case scratchBuildTasks = "scratch_build_tasks"
        case respinOf = "respin_of"
        case baseModuleBrName = "base_module_br_name"
        case baseModuleBrStream = "base_module_br_stream"
        case baseModuleBrStreamVersionLTE = "base_module_br_stream_version_lte"
        case baseModuleBrStreamVersionGTE = "base_module_br_stream_version_gte"
        case targetDir = "target_dir"
        case onUnsigned = "on_unsigned"
        case unsignedWaitSeconds = "unsigned_wait_seconds"
        case moduleHotfixes = "module_hotfixes"
    }

    /// - Parameter targetURL: where the target directory of the compose is served, without a trailing slash.
    public init(_ compose: Compose, targetURL: String) {
        let request = compose.request
        let layout = ComposeLayout(id: compose.resultOf)
        func words(_ list: [String]) -> String { list.joined(separator: " ") }
        func wordsOrNil(_ list: [String]) -> String? { list.isEmpty ? nil : words(list) }
        id = compose.id
        owner = compose.owner
        sourceType = request.sourceType.rawValue
        source = compose.source
        state = compose.state.rawValue
        stateName = compose.state.name
        stateReason = compose.stateReason
        failure = compose.failure
        timeSubmitted = Self.format(compose.timeSubmitted)
        timeStarted = compose.timeStarted.map(Self.format)
        timeDone = compose.timeDone.map(Self.format)
        timeToExpire = Self.format(compose.timeToExpire)
        timeRemoved = compose.timeRemoved.map(Self.format)
        removedBy = compose.removedBy
        toplevelURL = "\(targetURL)/\(layout.directory)"
        // Which variants a compose of Pungi's has is its configuration's affair: there is no repository at a place that is known.
        let hasRepository = request.sourceType != .rawConfig
        resultRepo = hasRepository ? "\(toplevelURL)/\(ComposeLayout.repositories)" : ""
        resultRepofile = hasRepository ? "\(toplevelURL)/\(layout.repoFile)" : ""
        flags = request.flags.names
        results = request.results.names
        sigkeys = words(compose.sigkeys)
        kojiEvent = compose.kojiEvent
        kojiTaskID = compose.kojiTaskID
        packages = wordsOrNil(request.packages)
        builds = wordsOrNil(request.builds)
        arches = words(compose.arches)
        multilibArches = words(request.multilibArches)
        multilibMethod = request.multilibMethods.rawValue
        lookasideRepos = words(request.lookasideRepos)
        modularKojiTags = wordsOrNil(request.modularKojiTags)
        moduleDefaultsURL = request.moduleDefaultsURL.map { url in request.moduleDefaultsCommit.map { "\(url) \($0)" } ?? url }
        label = request.label
        composeType = request.composeType
        pungiComposeID = compose.pungiComposeID
        scratchModules = wordsOrNil(request.scratchModules)
        parentPungiComposeIDs = wordsOrNil(request.parentPungiComposeIDs)
        scratchBuildTasks = wordsOrNil(request.scratchBuildTasks)
        modules = wordsOrNil(request.modules)
        respinOf = request.respinOf
        baseModuleBrName = request.baseModuleBrName
        baseModuleBrStream = request.baseModuleBrStream
        baseModuleBrStreamVersionLTE = request.baseModuleBrStreamVersionLTE
        baseModuleBrStreamVersionGTE = request.baseModuleBrStreamVersionGTE
        targetDir = request.targetDir
        watch = compose.watch
        delivery = request.delivery.rawValue
        onUnsigned = request.unsignedWaitSeconds == nil ? "fail" : "wait"
        unsignedWaitSeconds = request.unsignedWaitSeconds
        moduleHotfixes = request.moduleHotfixes ?? false
    }

    /// `YYYY-MM-DDTHH:MM:SSZ`, in UTC, without fractions of a second.
    public static func format(_ date: Date) -> String {
        date.formatted(.iso8601)
    }
}

extension ComposeDocument {
    /// Every member is there, `null` where it has no value: the contract drops none.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(id, forKey: .id)
        try container.encode(owner, forKey: .owner)
        try container.encode(sourceType, forKey: .sourceType)
        try container.encode(source, forKey: .source)
        try container.encode(state, forKey: .state)
        try container.encode(stateName, forKey: .stateName)
        try container.encode(stateReason, forKey: .stateReason)
        try container.encode(failure, forKey: .failure)
        try container.encode(timeSubmitted, forKey: .timeSubmitted)
        try container.encode(timeStarted, forKey: .timeStarted)
        try container.encode(timeDone, forKey: .timeDone)
        try container.encode(timeToExpire, forKey: .timeToExpire)
        try container.encode(timeRemoved, forKey: .timeRemoved)
        try container.encode(removedBy, forKey: .removedBy)
        try container.encode(resultRepo, forKey: .resultRepo)
        try container.encode(resultRepofile, forKey: .resultRepofile)
        try container.encode(toplevelURL, forKey: .toplevelURL)
        try container.encode(flags, forKey: .flags)
        try container.encode(results, forKey: .results)
        try container.encode(sigkeys, forKey: .sigkeys)
        try container.encode(kojiEvent, forKey: .kojiEvent)
        try container.encode(kojiTaskID, forKey: .kojiTaskID)
        try container.encode(packages, forKey: .packages)
        try container.encode(builds, forKey: .builds)
        try container.encode(arches, forKey: .arches)
        try container.encode(multilibArches, forKey: .multilibArches)
        try container.encode(multilibMethod, forKey: .multilibMethod)
        try container.encode(lookasideRepos, forKey: .lookasideRepos)
        try container.encode(modularKojiTags, forKey: .modularKojiTags)
        try container.encode(moduleDefaultsURL, forKey: .moduleDefaultsURL)
        try container.encode(label, forKey: .label)
        try container.encode(composeType, forKey: .composeType)
        try container.encode(pungiComposeID, forKey: .pungiComposeID)
        try container.encode(scratchModules, forKey: .scratchModules)
        try container.encode(parentPungiComposeIDs, forKey: .parentPungiComposeIDs)
        try container.encode(scratchBuildTasks, forKey: .scratchBuildTasks)
        try container.encode(modules, forKey: .modules)
        try container.encode(respinOf, forKey: .respinOf)
        try container.encode(baseModuleBrName, forKey: .baseModuleBrName)
        try container.encode(baseModuleBrStream, forKey: .baseModuleBrStream)
        try container.encode(baseModuleBrStreamVersionLTE, forKey: .baseModuleBrStreamVersionLTE)
        try container.encode(baseModuleBrStreamVersionGTE, forKey: .baseModuleBrStreamVersionGTE)
        try container.encode(targetDir, forKey: .targetDir)
        try container.encode(watch, forKey: .watch)
        try container.encode(delivery, forKey: .delivery)
        try container.encode(onUnsigned, forKey: .onUnsigned)
        try container.encode(unsignedWaitSeconds, forKey: .unsignedWaitSeconds)
        try container.encode(moduleHotfixes, forKey: .moduleHotfixes)
    }
}
