import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The commands `odcs farm …`.
struct FarmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "farm", abstract: "Build images on farms, which are named sets of nodes.",
        discussion: """
            If nothing is named, builds go to the default farm, or to all nodes if there
            is none.

            EXAMPLES
              odcs farm create f n1 n2 --default
              odcs farm build -t registry.example.org/team/app:1 --farm f .
              odcs farm --node n1,n2 build -t registry.example.org/team/app:1 .
              odcs farm schedule f --platforms linux/amd64,linux/arm64
            """,
        subcommands: [
            FarmBuild.self, Create.self, List.self, Update.self, Remove.self, Status.self, Platforms.self, Schedule.self, Prune.self,
            FarmImport.self,
        ])

    // These options are here too, so that they may come before the subcommand.
    @OptionGroup(title: "NODES") var place: FarmPlaceOptions

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "create", abstract: "Create a farm of nodes.")

        @Argument(help: "The name of the farm.")
        var name: String
        @Argument(help: "The names of its nodes.")
        var nodes: [String] = []
        @Flag(name: [.customLong("default"), .customShort("d")], help: "Make it the default farm.")
        var isDefault = false
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            var submission = FarmSubmission()
            submission.name = name
            submission.nodes = nodes
            submission.isDefault = isDefault ? true : nil
            let farm = try await service.connect().createFarm(submission)
            try service.print(farm, or: FarmCommand.line(farm))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the farms.")

        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            let farms = try await service.connect().farms()
            if farms.isEmpty, !service.json {
                return try Console.current.err.line("There are no farms. Builds go to all nodes. 'odcs farm create' makes a farm.")
            }
            let head = ["NAME", "DEFAULT", "NODES"]
            let rows = farms.map { [$0.name, $0.isDefault ? "yes" : "", $0.nodes.map(\.name).joined(separator: " ")] }
            try service.print(farms, or: Table(rows: [head] + rows, shrinkable: [2]).text())
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "update", abstract: "Add nodes to a farm, or take nodes from it.",
            discussion: "Example: odcs farm update f --add n3 --remove n1")

        @Argument(help: "The name of the farm.")
        var name: String
        @Option(name: [.long, .customShort("a")], help: ArgumentHelp("Nodes to add, with commas. Repeatable.", valueName: "names"))
        var add: [String] = []
        @Option(name: [.long, .customShort("r")], help: ArgumentHelp("Nodes to take away, with commas. Repeatable.", valueName: "names"))
        var remove: [String] = []
        @Flag(inversion: .prefixedNo, help: "Whether it is the default farm.")
        var `default`: Bool?
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            var submission = FarmSubmission()
            submission.add = add.flatMap(FarmPlaceOptions.names).nilIfEmpty
            submission.remove = remove.flatMap(FarmPlaceOptions.names).nilIfEmpty
            submission.isDefault = self.default
            let farm = try await service.connect().changeFarm(name, submission)
            try service.print(farm, or: FarmCommand.line(farm))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove farms. Their nodes stay.")

        @Argument(help: "The names of the farms.")
        var names: [String]
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            let client = try service.connect()
            for name in names {
                let answer = try await client.removeFarm(name)
                try service.print(answer, or: answer.message.printable())
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Show whether the nodes of a farm are ready. The exit status is 1 if one is not.")

        @OptionGroup var target: FarmTarget
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws { try NodeText.printStatus(of: try await target.nodes(service.connect()), service) }
    }

    struct Platforms: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "platforms", abstract: "Show the platforms that a farm builds.")

        @OptionGroup var target: FarmTarget
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            let nodes = try await target.nodes(service.connect()).filter { $0.enabled && $0.state == "ready" }
            let native = Set(nodes.flatMap(\.native))
            let emulated = Set(nodes.flatMap(\.emulated)).subtracting(native)
            let lines = [("native", native), ("emulated", emulated)].map { name, platforms in
                "\(name): \(platforms.isEmpty ? "none" : platforms.sorted().joined(separator: ", "))"
            }
            try service.print(
                ["native": native.sorted(), "emulated": emulated.sorted()], or: lines.joined(separator: "\n").printable(keepingLines: true))
        }
    }

    struct Schedule: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "schedule", abstract: "Show which node would build each platform, and why.")

        @OptionGroup var target: FarmTarget
        @Option(
            name: [.customLong("platforms"), .customLong("platform")],
            help: ArgumentHelp("The platforms, with commas. Default: those that the nodes run themselves.", valueName: "platforms"))
        var platforms: [String] = []
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            let client = try service.connect()
            let schedule = try await client.schedule(
                platforms.flatMap(FarmPlaceOptions.names).nilIfEmpty, on: try await target.placement(client))
            let rows = schedule.items.map { [$0.platform, $0.node ?? "-", $0.reason] }
            try service.print(schedule, or: rows.isEmpty ? "No node is ready." : Table(rows: rows).text())
            guard !rows.isEmpty, schedule.items.allSatisfy({ $0.node != nil }) else { throw CommandFailure(.composeFailed) }
        }
    }

    struct Prune: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prune", abstract: "Remove images from the nodes of a farm. Images of steps that are being built stay.")

        @OptionGroup var target: FarmTarget
        @OptionGroup var options: PruneOptions
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            let nodes = try await target.nodes(service.connect()).map(\.name)
            try await options.prune(nodes, service)
        }
    }

    fileprivate static func line(_ farm: FarmDocument) -> String {
        let nodes = farm.nodes.isEmpty ? "no nodes" : farm.nodes.map(\.name).joined(separator: ", ")
        return "\(farm.name)\(farm.isDefault ? " (default)" : ""): \(nodes)".printable()
    }
}

/// The nodes that a command is about: those of a farm, or an ad-hoc group.
struct FarmPlaceOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The farm.", valueName: "name"))
    var farm: String?
    @Option(help: ArgumentHelp("Nodes instead of a farm, with commas. Repeatable.", valueName: "names"))
    var node: [String] = []
    @Flag(help: "The workers themselves too.")
    var local = false
    @Flag(help: .hidden)
    var debug = false

    func validate() throws {
        if farm != nil, !node.isEmpty { throw ValidationError("--farm and --node exclude each other") }
    }

    /// Returns the names in a text with commas.
    static func names(_ text: String) -> [String] {
        text.split(separator: ",").map { String($0.trimmingPrefix(" ")) }.filter { !$0.isEmpty }
    }

    /// Returns the nodes to build on, or nil if nothing is named.
    func placement(_ client: ComposeClient) async throws -> Placement? {
        let names = node.flatMap(Self.names)
        if !names.isEmpty { return .nodes(local && !names.contains(FarmNode.localName) ? names + [FarmNode.localName] : names) }
        guard local else { return farm.map { .farm($0) } }
        // A farm with the workers is a group of its own.
        let known: FarmDocument?
        if let farm {
            known = try await client.farm(farm)
        } else {
            known = try await client.farms().first(where: \.isDefault)
        }
        guard let known else { return nil }
        return .nodes(Array(Set(known.nodes.map(\.name) + [FarmNode.localName])).sorted())
    }
}

/// A farm that is named by an argument, or by the options of ``FarmPlaceOptions``.
struct FarmTarget: ParsableArguments {
    @Argument(help: "The name of the farm. Default: the default farm, or all nodes.")
    var name: String?
    @OptionGroup(title: "NODES") var place: FarmPlaceOptions

    func validate() throws {
        if name != nil, place.farm != nil || !place.node.isEmpty {
            throw ValidationError("name the farm once, and without --node")
        }
    }

    func placement(_ client: ComposeClient) async throws -> Placement? {
        if let name { return .farm(name) }
        return try await place.placement(client)
    }

    func nodes(_ client: ComposeClient) async throws -> [NodeDocument] {
        try await FarmPlaceOptions.nodes(try await placement(client), client)
    }
}

extension FarmPlaceOptions {
    /// Returns the nodes of a placement, or those that are used if nothing is named.
    static func nodes(_ placement: Placement?, _ client: ComposeClient) async throws -> [NodeDocument] {
        switch placement {
        case .farm(let name): return try await client.farm(name).nodes
        case .nodes(let names):
            var nodes: [NodeDocument] = []
            for name in names { nodes.append(try await client.node(name)) }
            return nodes
        case nil:
            if let farm = try await client.farms().first(where: \.isDefault) { return farm.nodes }
            return try await client.nodes()
        }
    }
}
