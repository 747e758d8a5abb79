#include "takeover/attributes.h"

#include <gtest/gtest.h>

namespace hamn::takeover {
namespace {

struct Example {
  const char* value;
  const char* node;
  std::optional<std::string> result;
};

TEST(ValueReaderTest, ReadsValuesAsXcatDoes) {
  ValueReader reader;
  for (const Example& each : std::vector<Example>{
           {"10.77.1.1", "n001", "10.77.1.1"},
           {"|\\D+(\\d+)|10.1.1.($1+0)|", "n007", "10.1.1.7"},
           {"|\\D+(\\d+)|10.1.1.($1+0)|", "cn12", "10.1.1.12"},
           {"|\\D+(\\d+)\\D+(\\d+)|10.1.($1*2).($2+100)|", "r3n12", "10.1.6.112"},
           {"|\\D+(\\d+)|10.1.(($1-1)/4+1).(($1-1)%4+1)|", "n7", "10.1.2.3"},
           {"|n(\\d+)|10.1.1.$1|", "n7", "10.1.1.7"},
           {"|n(\\d+)|10.1.${1}.9|", "n7", "10.1.7.9"},
           {"/n(\\d+)/bmc$1/", "n001", "bmc001"},
           {"|10.1.1.($1+0)|", "rack007", "10.1.1.7"},
           {"|10.1.$1.$2|", "r10n010", "10.1.10.10"},
           {"|.*|ipmi|", "n1", "ipmi"},
           // What the expression does not match stays where it is.
           {"|n(\\d)|m$1|", "xn1-ib", "xm1-ib"},
           {"/a/b/c/", "n1", "/a/b/c/"},
       }) {
    EXPECT_EQ(reader.read(each.value, each.node), each.result) << each.value << " " << each.node;
  }
}

TEST(ValueReaderTest, DoesNotGuessWhatItDoesNotUnderstand) {
  ValueReader reader;
  for (const Example& each : std::vector<Example>{
           {"|x(\\d+)|10.1.1.($1+0)|", "n7", {}},                   // no match
           {"|\\D+(\\d+)|10.1.1.($1+0)|", "n010", {}},              // octal in Perl
           {"|\\D+(\\d+)|10.1.1.($1+0)|", "n089", {}},              // an error in Perl
           {"|\\D+(\\d+)|10.1.1.($1+0)|", "n7-ib", {}},             // "(7+0)-ib"
           {"|n(\\d+)|10.1.1.(sprintf(\"%d\",$1))|", "n7", {}},     // a call
           {"|n(\\d+)|10.1.1.($1/0)|", "n7", {}},                   //
           {"|n(\\d+)|10.1.1.(99999999999999999999)|", "n7", {}},   //
           {"|n(\\d+)|10.1.1.(2147483647*2147483647)|", "n7", {}},  //
           {"|n(\\d+)|10.1.1.$2|", "n7", {}},                       // no such group
           {"|n(\\d+)|10.1.1.$12|", "n7", {}},                      // not $1 and a 2
           {"|n(\\d+)|10.1.1.$x|", "n7", {}},                       //
           {"|n(\\d+)|10.1.1.\\1|", "n7", {}},                      //
           {"|n(?<x>\\d+|10.1.1.1|", "n7", {}},                     // no expression
           {"|n(?<=a)7|10.1.1.1|", "n7", {}},                       // Perl's own kind
           {"|(a*)*b|10.1.1.1|",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            {}},  // 2^40 ways to fail
       }) {
    EXPECT_EQ(reader.read(each.value, each.node), std::nullopt) << each.value << " " << each.node;
  }
}

TEST(ArithmeticTest, CountsInIntegersAndRefusesEverythingElse) {
  const std::map<std::string, std::optional<long long>> cases{{"1", 1},
                                                              {"007", 7},
                                                              {"1+2*3", 7},
                                                              {"(1+2)*3", 9},
                                                              {"-7/2", -3},
                                                              {"7%4", 3},
                                                              {"10-2-3", 5},
                                                              {" ( 1 + 1 ) ", 2},
                                                              {"", {}},
                                                              {"1+", {}},
                                                              {"(1", {}},
                                                              {"1)", {}},
                                                              {"1 2", {}},
                                                              {"a", {}},
                                                              {"1/0", {}},
                                                              {"1%0", {}},
                                                              {"010", {}},
                                                              {"0x10", {}},
                                                              {"2**3", {}},
                                                              {"1;2", {}},
                                                              {std::string(1000, '('), {}},
                                                              {std::string(1000, '-') + "1", {}}};
  for (const auto& [text, value] : cases) EXPECT_EQ(arithmetic(text), value) << text;
}

}  // namespace
}  // namespace hamn::takeover
