import ArgumentParser
import ComposeClient
import ForeignText
import ImageModel

/// The commands `odcs node …`.
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Manage the nodes that build images: engines of podman or docker.",
        discussion: """
            A worker of the service connects to the nodes, so sockets and keys are those
            of its host. The node 'local' stands for the workers themselves.

            EXAMPLES
              odcs node add n1 --connection unix:///run/podman/podman.sock
              odcs node add arm1 --connection ssh://builder@arm1.example.org/run/podman/podman.sock
              odcs node update arm1 --slots 4 --weight 20
              odcs node status
            """,
        subcommands: [Add.self, List.self, Update.self, Remove.self, Status.self, Probe.self, Prune.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Add a node. Its platforms are tried before it is used.")

        @Argument(help: "The name of the node.")
        var name: String
        @Option(
            help: ArgumentHelp(
                "unix:///PATH, ssh://USER@HOST:PORT/PATH with the path of the socket, or tcp://HOST:PORT for TLS.", valueName: "address"))
        var connection: String
        @OptionGroup(title: "SETTINGS") var settings: NodeSettingsOptions
        @OptionGroup(title: "WAITING") var patience: PatienceOptions
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            let client = try service.connect()
            var submission = settings.submission
            submission.name = name
            submission.connection = connection
            var node = try await client.addNode(submission)
            if !patience.noWait { node = try await NodeWaiting(client: client, names: [name]).untilProbed()[0] }
            try service.print(node, or: NodeText(node).line)
            if !patience.noWait, node.state != "ready" { throw CommandFailure(.composeFailed) }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the nodes.")

        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            let nodes = try await service.connect().nodes()
            let console = Console.current
            let head = ["NAME", "STATE", "PLATFORMS", "BUSY", "WEIGHT", "ENGINE", "CONNECTION", "NOTE"]
            let rows = nodes.map { node in
                [
                    node.name, node.enabled ? node.state : "disabled", NodeText(node).platforms, "\(node.busy)/\(node.slots)",
                    String(node.weight), node.engine ?? "-", node.connection ?? node.kind, node.problem ?? "",
                ]
            }
            let columns = console.out.isTerminal ? console.out.columns() : nil
            try service.print(nodes, or: Table(rows: [head] + rows, shrinkable: [2, 6, 7]).text(columns: columns))
        }
    }

    struct Update: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "update", abstract: "Change the settings of a node.", discussion: "Example: odcs node update n1 --disable")

        @Argument(help: "The name of the node.")
        var name: String
        @Option(help: ArgumentHelp("Another address. The platforms are tried again.", valueName: "address"))
        var connection: String?
        @OptionGroup(title: "SETTINGS") var settings: NodeSettingsOptions
        @Flag(help: "Let no step go to the node.")
        var disable = false
        @Flag(help: "Let steps go to the node again.")
        var enable = false
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func validate() throws {
            if enable, disable { throw ValidationError("--enable and --disable exclude each other") }
        }

        func run() async throws {
            var submission = settings.submission
            submission.connection = connection
            submission.enabled = enable ? true : disable ? false : nil
            let node = try await service.connect().changeNode(name, submission)
            try service.print(node, or: NodeText(node).line)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove", abstract: "Remove nodes from the service and from all farms.")

        @Argument(help: "The names of the nodes.")
        var names: [String]
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            let client = try service.connect()
            for name in names {
                let answer = try await client.removeNode(name)
                try service.print(answer, or: answer.message.printable())
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status", abstract: "Show whether nodes are ready. The exit status is 1 if one is not.")

        @Argument(help: "The names of the nodes. All if there are none.")
        var names: [String] = []
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            let client = try service.connect()
            var nodes: [NodeDocument] = []
            if names.isEmpty { nodes = try await client.nodes() }
            for name in names { nodes.append(try await client.node(name)) }
            try NodeText.printStatus(of: nodes, service)
        }
    }

    struct Probe: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "probe", abstract: "Try which platforms nodes can build, by running a tiny program of each.")

        @Argument(help: "The names of the nodes.")
        var names: [String]
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws {
            let client = try service.connect()
            for name in names { _ = try await client.probeNode(name) }
            let nodes = try await NodeWaiting(client: client, names: names).untilProbed()
            try service.print(nodes, or: nodes.map { NodeText($0).details }.joined(separator: "\n"))
            guard nodes.allSatisfy({ $0.state == "ready" }) else { throw CommandFailure(.composeFailed) }
        }
    }

    struct Prune: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "prune", abstract: "Remove images from nodes. Images of steps that are being built stay.")

        @Argument(help: "The names of the nodes.")
        var names: [String]
        @OptionGroup var options: PruneOptions
        @OptionGroup(title: "SERVICE") var service: ConnectionOptions

        func run() async throws { try await options.prune(names, service) }
    }
}

/// The settings of a node.
struct NodeSettingsOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The name of the key that workers log in with. They have the file.", valueName: "name"))
    var identity: String?
    @Option(help: ArgumentHelp("How many platforms it builds at the same time.", valueName: "number"))
    var slots: Int?
    @Option(help: ArgumentHelp("Of nodes that can build, the one with the greatest weight does. Default: 10.", valueName: "number"))
    var weight: Int?
    @Option(name: .customLong("label"), help: ArgumentHelp("A label that images can require. Repeatable.", valueName: "name=value"))
    var labels: [NamedValue] = []
    @Option(help: ArgumentHelp("push: it pushes images itself. pull: the worker fetches them.", valueName: "way"))
    var deliver: String?

    var submission: NodeSubmission {
        var submission = NodeSubmission()
        submission.identity = identity
        submission.slots = slots
        submission.weight = weight
        submission.labels = NamedValue.dictionary(labels)
        submission.deliver = deliver
        return submission
    }

    func validate() throws {
        if let deliver, FarmNode.Delivery(rawValue: deliver) == nil {
            throw ValidationError("--deliver is push or pull, not \(deliver.quoted)")
        }
    }
}

/// The images that are removed.
struct PruneOptions: ParsableArguments {
    @Flag(help: "Remove all images without a container, not only those of old steps.")
    var all = false
    @Option(help: ArgumentHelp("Only images that are at least this old, as in 7d.", valueName: "time"))
    var older: TimeToLive?

    func prune(_ names: [String], _ service: ConnectionOptions) async throws {
        let client = try service.connect()
        let asked = names.filter { $0 != FarmNode.localName }
        for name in asked { _ = try await client.pruneNode(name, PruneRequest(all: all, olderThanSeconds: older?.seconds)) }
        let nodes = try await NodeWaiting(client: client, names: asked).untilPruned()
        let lines = nodes.map { node in
            node.pruned.map { "\(node.name): \($0.removed) removed, \($0.left) left" }
                ?? "\(node.name): \(node.problem ?? "nothing removed")"
        }
        let local = names.count > asked.count ? ["local: its workers remove what no build needs by themselves"] : []
        try service.print(nodes, or: (local + lines).joined(separator: "\n").printable(keepingLines: true))
        guard nodes.allSatisfy({ !$0.awaitsPrune && $0.state == "ready" }) else { throw CommandFailure(.composeFailed) }
    }
}
