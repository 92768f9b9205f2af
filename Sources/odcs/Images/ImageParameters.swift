import ArgumentParser
import Inventory

/// The command `odcs image parameters`.
struct ImageParameters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "parameters",
        abstract: "List the environment variables that images are generated with.",
        discussion: """
            These are the parameters that the inventory declares, and the variables that
            have a meaning of their own. VALUE is the value with your environment.

            EXAMPLE
              DPDK_CI_CONTAINERS_BUILD_ABI=Y odcs image parameters --inventory inventory/dpdk-ci
            """)

    @Option(help: ArgumentHelp("The folder of the inventory.", valueName: "folder"), completion: .directory)
    var inventory = "."
    // --json is one of these options. The others are of no use here.
    @OptionGroup(visibility: .hidden) var connection: ConnectionOptions

    func run() async throws {
        let console = Console.current
        let folder = try InventoryFolder.opened(self.inventory, in: console)
        let inventory = try CommandFailure.explaining { () throws(InventoryProblem) in try folder.inventory() }
        let settings = try GenerationSettings.settings(inventory, in: console)
        let rows =
            inventory.parameters.map { Row($0, settings.parameters[$0]) } + BuiltInVariable.allCases.map { Row($0, console.environment) }
        try connection.print(rows, or: Self.table(rows, columns: console.out.isTerminal ? console.out.columns() : nil))
    }

    private static func table(_ rows: [Row], columns: Int?) -> String {
        Table(
            rows: [["VARIABLE", "VALUES", "DEFAULT", "VALUE", "DESCRIPTION"]]
                + rows.map { [$0.variable, $0.values, $0.defaultValue, $0.value, $0.description] }, shrinkable: [2, 3, 4]
        ).text(columns: columns)
    }

    private struct Row: Encodable {
        let variable: String
        let parameter: String?
        let values: String
        let defaultValue: String
        let value: String
        let description: String

        private enum CodingKeys: String, CodingKey {
            case variable, parameter, values
            case defaultValue = "default"
            case value, description
        }

        init(_ parameter: Parameter, _ value: String?) {
            variable = parameter.environment
            self.parameter = parameter.name
            values = parameter.valuesText
            defaultValue = parameter.defaultValue ?? ""
            self.value = value ?? ""
            description = parameter.description
        }

        init(_ builtIn: BuiltInVariable, _ environment: [String: String]) {
            variable = builtIn.rawValue
            parameter = nil
            values = builtIn.valuesText
            defaultValue = builtIn.defaultText
            value = environment[builtIn.rawValue].flatMap { $0.isEmpty ? nil : $0 } ?? builtIn.defaultText
            description = builtIn.description
        }
    }
}
