import ArgumentParser
import Foundation
import Testing

@testable import odcs

@Suite struct CommandNameTests {
    @Test("the name of each command is written down, because to derive it from the type takes time at each start")
    func names() {
        var (commands, count) = ([Odcs.self] as [any ParsableCommand.Type], 0)
        while let command = commands.popLast() {
            #expect(command.configuration.commandName != nil, "\(command)")
            commands += command.configuration.subcommands
            count += 1
        }
        #expect(count > 40)
    }

    @Test("no option of a command has the name of another one of odcs itself, which would be taken for it")
    func options() throws {
        struct Tool: Decodable { let command: Command }
        struct Command: Decodable {
            let commandName: String
            let arguments: [Argument]?
            let subcommands: [Command]?
        }
        struct Argument: Decodable {
            struct Name: Hashable, Decodable { let kind, name: String }
            let kind: String
            let names: [Name]?
            let abstract: String?
        }
        let odcs = try JSONDecoder().decode(Tool.self, from: Data(Odcs._dumpHelp().utf8)).command
        var own: [Argument.Name: Argument] = [:]
        for argument in odcs.arguments ?? [] { for name in argument.names ?? [] { own[name] = argument } }
        #expect(own.keys.contains { $0.name == "watch" })
        var commands = odcs.subcommands ?? []
        while let command = commands.popLast() {
            // Its option --help is hidden, and has no text.
            if command.commandName == "help" { continue }
            for argument in command.arguments ?? [] {
                for name in argument.names ?? [] {
                    guard let same = own[name] else { continue }
                    #expect(same.kind == argument.kind && same.abstract == argument.abstract, "\(name.name) of \(command.commandName)")
                }
            }
            commands += command.subcommands ?? []
        }
    }
}
