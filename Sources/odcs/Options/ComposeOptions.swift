import ArgumentParser

/// The options about a compose itself, which do not concern its packages. A compose that is made again
/// from a lock file has them too.
struct ComposeOptions: ParsableArguments {
    @Flag(help: "Make it anew even if an equal compose exists.")
    var noReuse = false

    @Option(
        name: [.long, .customLong("seconds-to-live")],
        help: ArgumentHelp("How long it lives from its end: seconds, or as in 90m, 1h, 2d.", valueName: "time"))
    var ttl: TimeToLive?

    @Option(help: ArgumentHelp("A label, as in RC-1.0.", valueName: "text"))
    var label: String?

    @Option(help: ArgumentHelp("The compose's type, as in test or nightly.", valueName: "type"))
    var composeType: String?

    @Option(help: ArgumentHelp("One of the service's target directories.", valueName: "name"))
    var targetDir: String?

    /// The members of a request that has no others.
    var members: [String: any Sendable] {
        var members: [String: any Sendable] = [:]
        if noReuse { members["flags"] = ["no_reuse"] }
        if let ttl { members["seconds_to_live"] = ttl.seconds }
        if let label { members["label"] = label }
        if let composeType { members["compose_type"] = composeType }
        if let targetDir { members["target_dir"] = targetDir }
        return members
    }
}
