import ArgumentParser
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
}
