package tracking

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// randomName names a run or model that its maker left unnamed: two words and a
// number, at most 20 characters.
func randomName() string {
	for {
		name := fmt.Sprintf("%s-%s-%d", pick(adjectives), pick(nouns), rand.IntN(1000))
		if len(name) <= 20 {
			return name
		}
	}
}

func pick(words string) string {
	list := strings.Fields(words)
	return list[rand.IntN(len(list))]
}

const adjectives = `able agile amber bold brave bright brisk calm candid clear clever cosmic crisp curious
dapper daring deft eager earnest easy fair fast fearless fine fleet fond frank fresh
gentle glad golden grand happy hardy humble jolly keen kind lively loyal lucid lucky
mellow merry mighty mild modest neat nimble noble patient placid plucky polite proud quick
quiet rapid ready robust rosy serene sharp silent silver sleek smart smooth snug solid
spry steady stout sturdy subtle sunny sure sweet swift tidy trusty upbeat valiant vivid
warm wise witty zesty`

const nouns = `adder alder badger bass beaver birch bream brook carp cedar clover cove crane creek
cricket crow dale dove duck eagle eel egret elk elm falcon fern finch fox
frog gale goose grebe grouse gull hare hawk hazel heron holly ibis iris ivy
jay kestrel kite koi lark lily linnet loach lynx magpie maple marten minnow mole
moss moth newt oak ocelot osprey otter owl perch pike pine plover pond poplar
quail rail raven reed robin roe rook rush sage shrew shrike siskin snipe sparrow
stork swan swift tarn teal tench tern thrush toad trout vole wagtail warbler willow
wren yew`
